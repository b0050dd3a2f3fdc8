/* Shared by the files that stand in for libc's functions: what such a function tells the detector, and how it reaches libc's own.
 *
 * There are two ways in. Memory, strings, I/O and what else takes pointers (race_memory.c, race_io.c, race_calls.h): the linker's --wrap
 * (link-options.txt) sends a call of f in the program's objects to __wrap_f, and __real_f is libc's. Calls in shared libraries are left
 * alone: what a library does to memory of its own is not the program's business. malloc and POSIX threads (race_malloc.c, race_posix_*.c): the
 * detector defines f itself, so that the calls of all shared libraries come here too: memory that a library gives to the program begins a new
 * life, and a lock or a thread of a library (C++'s among them) orders what the program does in its callbacks. libc's own function is then
 * REAL(f). The definitions are weak: a program that brings its own malloc keeps it.
 *
 * The runtime's calls come here as well, but with the detector off (race_ignored). */
#ifndef RACE_LIBC_H
#define RACE_LIBC_H

#include "race.h"

#pragma GCC diagnostic ignored "-Wmissing-prototypes"
/* Of the program's call: to be used in the function that the program calls. */
#define PC ((uintptr_t)__builtin_return_address(0))
#define INTERPOSE __attribute__((weak, visibility("default")))

static inline void reads(const void *p, size_t n, uintptr_t pc)
{
    race_access_range(race_cur(), (uintptr_t)p, n, 0, pc);
}

static inline void writes(const void *p, size_t n, uintptr_t pc)
{
    race_access_range(race_cur(), (uintptr_t)p, n, EPOCH_WRITE, pc);
}

static inline bool is_on(void)
{
    return race_cur() != &race_ignored;
}

/* Whether pc lies in the program itself and not in a shared library. */
extern const char __executable_start[] __attribute__((weak)), etext[] __attribute__((weak));
static inline bool is_in_program(uintptr_t pc)
{
    return pc >= (uintptr_t)__executable_start && pc < (uintptr_t)etext;
}

/* Whether it lies in the runtime or the detector, which are in the program, too. */
extern const char __start_gort_race_text[] __attribute__((weak)), __stop_gort_race_text[] __attribute__((weak));
static inline bool is_ours(uintptr_t pc)
{
    return pc >= (uintptr_t)__start_gort_race_text && pc < (uintptr_t)__stop_gort_race_text;
}

/* ---- race_malloc.c ---- */

/* While a libc or C++ function that calls malloc or free, or makes a thread, runs for the program: where the program called it; else 0. */
extern _Thread_local uintptr_t race_malloc_for __attribute__((tls_model("initial-exec")));
/* Of the program's call, also from such a function. pc: its caller. */
static inline uintptr_t race_called_at(uintptr_t pc)
{
    return race_malloc_for ? race_malloc_for : pc;
}
static inline void race_called_back(uintptr_t *outer)
{
    race_malloc_for = *outer;   /* also when an exception leaves it (the file has -fexceptions) */
}
/* To be used in the function that the program calls: until it ends. */
#define CALLED_HERE \
    __attribute__((cleanup(race_called_back), unused)) uintptr_t outer = race_malloc_for; \
    race_malloc_for = PC

/* ---- race_posix_threads.c ---- */

/* An address at which all threads release what they did, when they end. */
extern const uint64_t race_ended_threads;

/* ---- race_at_work.c ---- */

/* Inside a call that may block for long: the thread is not within the detector while it is in libc, whoever called that. */
extern _Thread_local unsigned race_in_call __attribute__((tls_model("initial-exec")));
#define BLOCKING(call) \
    __extension__({ \
        race_in_call++; \
        __typeof__(call) blocking_result = (call); \
        race_in_call--; \
        blocking_result; \
    })
/* A signal that found the detector at work is being deferred: it is still at work, whichever function of libc is called for that. */
extern _Thread_local unsigned race_deferring __attribute__((tls_model("initial-exec")));

/* ---- race_signal.c ---- */

/* Signals that were deferred are handled: before the program blocks them, or waits for them in another way. */
void race_signals_first(void);
/* The same; the thread is not checked any more. */
void race_signal_thread_ends(void);

/* ---- race_cancel.c ---- */

/* Threads may be cancelled anywhere from now on: in the program, that is. */
void race_signal_cancels(void);

#endif
