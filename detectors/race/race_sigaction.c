/* The installation of signal handlers: the kernel has one of ours (race_signal.c), the program sees its own. What precedes it happens before the handler's
 * calls. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>

#include "race_deferred.h"
#include "race_libc.h"
#include "race_real.h"
#include "race_signal.h"

static int set_action(int s, const struct sigaction *new, struct sigaction *old)
{
    if (s < 1 || s >= SIGNALS)
        return REAL(sigaction)(s, new, old);
    uintptr_t before = atomic_load_explicit(&signal_handlers[s].fn, memory_order_relaxed);
    bool before_info = atomic_load_explicit(&signal_handlers[s].wants_info, memory_order_relaxed);
    bool before_once = atomic_load_explicit(&signal_handlers[s].is_once, memory_order_relaxed);
    struct sigaction ours, was;
    bool is_function = new && (new->sa_flags & SA_SIGINFO || (new->sa_handler != SIG_DFL && new->sa_handler != SIG_IGN));
    if (new && !is_function && deferred_any()) {   /* what comes again would meet the default action */
        signal_handle_deferred(s, s);
        deferred_wait(s);
    }
    if (is_function) {
        at_work_start();
        ours = *new;
        ours.sa_flags |= SA_SIGINFO;
        ours.sa_flags &= ~(int)SA_RESETHAND;
        ours.sa_sigaction = signal_entry;
        race_release(race_cur(), &signal_handlers[s].fn);
        atomic_store_explicit(&signal_handlers[s].wants_info, (new->sa_flags & SA_SIGINFO) != 0, memory_order_relaxed);
        atomic_store_explicit(&signal_handlers[s].is_once, (new->sa_flags & (int)SA_RESETHAND) != 0, memory_order_relaxed);
        atomic_store_explicit(&signal_handlers[s].fn, (uintptr_t)new->sa_sigaction, memory_order_release);
    }
    int err = REAL(sigaction)(s, is_function ? &ours : new, &was);
    if (is_function && err == 0)
        at_work_installed(s);
    if (err != 0) {
        if (is_function) {
            atomic_store_explicit(&signal_handlers[s].wants_info, before_info, memory_order_relaxed);
            atomic_store_explicit(&signal_handlers[s].is_once, before_once, memory_order_relaxed);
            atomic_store_explicit(&signal_handlers[s].fn, before, memory_order_release);
        }
        return err;
    }
    if (old) {
        if (was.sa_flags & SA_SIGINFO && was.sa_sigaction == signal_entry) {
            was.sa_sigaction = (void (*)(int, siginfo_t *, void *))before;
            if (!before_info)
                was.sa_flags &= ~SA_SIGINFO;
            if (before_once)
                was.sa_flags |= (int)SA_RESETHAND;
        }
        *old = was;
    }
    return 0;
}

INTERPOSE int sigaction(int s, const struct sigaction *new, struct sigaction *old)
{
    bool is_programs = is_in_program(PC);
    if (new && is_programs)
        reads(new, sizeof *new, PC);
    int err = set_action(s, new, old);
    if (err == 0 && old && is_programs)
        writes(old, sizeof *old, PC);
    return err;
}

/* ---- libc's older functions set a handler without calling sigaction ---- */

static __sighandler_t set_handler(int s, __sighandler_t fn, int flags, bool masks_itself)
{
    struct sigaction new = {.sa_handler = fn, .sa_flags = flags}, old;
    sigemptyset(&new.sa_mask);
    if (fn == SIG_ERR || s < 1 || s >= SIGNALS || (masks_itself && sigaddset(&new.sa_mask, s) != 0)) {
        errno = EINVAL;
        return SIG_ERR;
    }
    return set_action(s, &new, &old) == 0 ? old.sa_handler : SIG_ERR;
}

static __sighandler_t bsd(int s, __sighandler_t fn)
{
    bool interrupts = s > 0 && s < SIGNALS && atomic_load_explicit(&signal_handlers[s].interrupts, memory_order_relaxed);
    return set_handler(s, fn, interrupts ? 0 : SA_RESTART, true);
}

static __sighandler_t sysv(int s, __sighandler_t fn)
{
    return set_handler(s, fn, (int)SA_RESETHAND | SA_NODEFER, false);
}

__sighandler_t bsd_signal(int s, __sighandler_t fn);
INTERPOSE __sighandler_t signal(int s, __sighandler_t fn) { return bsd(s, fn); }
INTERPOSE __sighandler_t bsd_signal(int s, __sighandler_t fn) { return bsd(s, fn); }
INTERPOSE __sighandler_t ssignal(int s, __sighandler_t fn) { return bsd(s, fn); }
/* signal() where the program asks for nothing but ISO C (-std=c11). */
INTERPOSE __sighandler_t __sysv_signal(int s, __sighandler_t fn) { return sysv(s, fn); }
INTERPOSE __sighandler_t sysv_signal(int s, __sighandler_t fn) { return sysv(s, fn); }

INTERPOSE int siginterrupt(int s, int interrupts)
{
    struct sigaction a;
    if (set_action(s, NULL, &a) != 0)
        return -1;
    if (s > 0 && s < SIGNALS)
        atomic_store_explicit(&signal_handlers[s].interrupts, interrupts != 0, memory_order_relaxed);
    a.sa_flags = interrupts ? a.sa_flags & ~SA_RESTART : a.sa_flags | SA_RESTART;
    return set_action(s, &a, NULL);
}

INTERPOSE __sighandler_t sigset(int s, __sighandler_t fn)
{
    sigset_t its, was;
    sigemptyset(&its);
    if (sigaddset(&its, s) != 0)
        return SIG_ERR;
    if (fn == SIG_HOLD) {
        struct sigaction old;
        if (set_action(s, NULL, &old) != 0 || pthread_sigmask(SIG_BLOCK, &its, &was) != 0)
            return SIG_ERR;
        return sigismember(&was, s) ? SIG_HOLD : old.sa_handler;
    }
    __sighandler_t old = set_handler(s, fn, 0, false);
    if (old == SIG_ERR || pthread_sigmask(SIG_UNBLOCK, &its, &was) != 0)
        return SIG_ERR;
    return sigismember(&was, s) ? SIG_HOLD : old;
}
