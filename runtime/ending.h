/* What a program that can't go on shows: goroutines' stacks in Go's form, on stderr, and its exit status. For fatal.c and fatal_signal.c. */
#ifndef RT_ENDING_H
#define RT_ENDING_H

#include "inspect.h"
#include "signals.h"

enum { ENDING_DEEPEST = 100, ENDING_UNWOUND = 8192 };   /* frames that are kept of one stack, of so many */

struct ending_stack {
    struct inspect_g view;
    int n;
    int elided;              /* frames left out in the middle */
    bool parked;             /* pcs[0] is a return address */
    uintptr_t pcs[ENDING_DEEPEST];
};

/* At the start of the runtime. */
void ending_start(void);
/* Whether a report has begun. Any thread. */
bool ending_has_begun(void);
_Noreturn void ending_wait(void);

/* Begins the report; there is one only: who comes second waits for the first to end the program. Flushes what the program has printed. */
void ending_begin(void);
/* A part of the first lines. It has gone out when the call returns. */
void ending_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The caller's own stack. Allocates. */
void ending_take_own(struct ending_stack *x);
/* Keeps the first and the last frames of a deep stack. */
void ending_keep(struct ending_stack *x, const uintptr_t *pcs, int n);
/* From here on no lock is waited for that a thread may hold which stands still. Before the stack of such a thread is taken. */
void ending_freeze(void);
/* Shows what GOTRACEBACK asks for: own, the stack of goroutine self (a struct g), first; tid not 0: that of a thread which runs none, self NULL.
 * concerns_all: every goroutine, if it doesn't say otherwise. is_watched: another thread is in ending_watch(), and this one has a big stack. */
void ending_show(const struct ending_stack *own, const void *self, uint32_t tid, bool concerns_all, bool is_watched);
/* Status 2, or by the signal if GOTRACEBACK asks for a core. */
_Noreturn void ending_end(int signal);

/* On the thread that waits for another one to make the report, or in a signal's handler: returns when it is done; if it gets stuck, makes what is left of
 * it, without names, and ends the program. */
void ending_watch(void);

#endif
