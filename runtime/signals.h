/* Signals: handlers, the stack they run on, and where other threads were when they were asked. */
#ifndef RT_SIGNALS_H
#define RT_SIGNALS_H

#include <stdbool.h>
#include <stdint.h>

#include "traceback/unwind.h"

struct m;

/* When the runtime starts: handlers for the signals that end a program, where the program has none. */
void signals_start(void);
/* The calling thread's alternate stack, on which handlers run: without it an overflown stack could not be reported. And its end. */
void signals_thread_start(struct m *m);
void signals_thread_end(struct m *m);
/* The monitor's: what handlers left to do. */
bool signals_pending(void);
void signals_run(void);
/* Stops the thread of m where it is, and reads its registers; until it is let go. False: it didn't answer in time. Once for each, on the way to the end. */
bool signals_stop_thread(struct m *m, struct tb_regs *regs);
void signals_let_go(struct m *m);

/* fatal_signal.c: prints the end of the program by a signal, and ends it. On the monitor's thread, or, where there is none, on the one that got it. */
struct fatal_signal {
    int sig, code;
    uintptr_t addr;
    struct tb_regs regs;
    struct m *m;              /* NULL: the thread is none of ours */
    uint32_t tid;
};
_Noreturn void fatal_signal(const struct fatal_signal *s);

#endif
