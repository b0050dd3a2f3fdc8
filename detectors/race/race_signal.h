/* The program's signal handlers: where a signal came (race_at_work.c), what is done with it (race_signal.c), how handlers are installed (race_sigaction.c);
 * and the signal by which libc cancels a thread (race_cancel.c). */
#ifndef RACE_SIGNAL_H
#define RACE_SIGNAL_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <ucontext.h>

/* ---- race_at_work.c ---- */

/* sigaction as the kernel has it, which libc's does not tell all of. */
struct kernel_action {
    void (*fn)(int, siginfo_t *, void *);
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};
/* Whether the detector was at work where a signal came. */
bool is_at_work(const ucontext_t *uc);
/* What that asks about libc is found out: before a handler is installed, and when that of s has been. Any number of times, on any thread. */
void at_work_start(void);
void at_work_installed(int s);

/* ---- race_signal.c ---- */

enum { SIGNALS = 65 };
struct signal_handler {
    _Atomic(uintptr_t) fn;       /* the program's; also the address by which its installation is ordered before its calls */
    atomic_bool wants_info;
    atomic_bool is_once;         /* SA_RESETHAND: it is reset here, since a deferred signal comes more than once */
    atomic_bool interrupts;      /* siginterrupt's, for signal() */
};
extern struct signal_handler signal_handlers[SIGNALS];
/* What the kernel calls in its place. */
void signal_entry(int s, siginfo_t *info, void *context);
/* Defers a signal that found the detector at work; is_again: one that had been. fn: its handler. False: it can't be. */
bool signal_comes_later(int s, const siginfo_t *info, uintptr_t fn, bool is_again);
/* What was deferred on this thread and isn't blocked is handled, of signals [from, to]. */
void signal_handle_deferred(int from, int to);
/* For who waits for signals that are blocked. One of the set that was deferred on this thread, before it was blocked: takes it; 0: there is none. And whether a
 * signal that the kernel gave him is one of the program's; what was deferred and has come again gets the info that it had. */
int signal_take_deferred(const sigset_t *set, siginfo_t *info);
bool signal_is_for_waiter(siginfo_t *info);

/* ---- race_atomic.c ---- */

struct race_left {
    uintptr_t sync;     /* race_atomic_at; 0: none */
    uintptr_t region;
};
/* At a fault: whether the calling thread was at an atomic of the program's. Then it lets go of what it holds for that; race_atomic_back takes it again. */
bool race_atomic_left(struct race_left *left);
void race_atomic_back(const struct race_left *left);

/* ---- race_cancel.c ---- */

enum { CANCEL_SIGNAL = 32 };   /* glibc's */
/* It was deferred, and comes now: if the thread's cancellation is enabled it ends. */
void cancel_now(siginfo_t *info, ucontext_t *here);

#endif
