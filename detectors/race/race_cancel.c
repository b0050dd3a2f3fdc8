/* Cancellation at any time (PTHREAD_CANCEL_ASYNCHRONOUS) comes by a signal of glibc's own, whose handler ends the thread. In the detector it would end with
 * locks held for ever, so it is deferred like the program's signals. If it can't come later, it comes at the thread's next cancellation point: glibc has noted
 * that it is to be cancelled. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "race_deferred.h"
#include "race_libc.h"
#include "race_real.h"
#include "race_signal.h"

static void (*cancels)(int, siginfo_t *, void *);   /* glibc's handler */

static void cancel_handler(int s, siginfo_t *info, void *context)
{
    enum deferred_kind kind = deferred_is(info);
    if (kind == DEFERRED_STALE)
        return;
    if (is_at_work(context)) {
        signal_comes_later(s, info, 0, kind == DEFERRED_AGAIN);
        return;
    }
    siginfo_t earlier;
    if (kind == DEFERRED_AGAIN) {
        deferred_take(info, &earlier);
        info = &earlier;
    }
    cancels(s, info, context);
}

void cancel_now(siginfo_t *info, ucontext_t *here)
{
    cancels(CANCEL_SIGNAL, info, here);
}

static void *waits_to_be_cancelled(void *p)
{
    race_cur_tls = &race_ignored;
    for (;;)
        pause();
    return p;
}

/* glibc has its handler installed as the first thread is cancelled. */
static void replace_handler(void)
{
    sigset_t all, before;
    pthread_t t;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool made = REAL(pthread_create)(&t, NULL, waits_to_be_cancelled, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!made)
        return;
    pthread_cancel(t);
    REAL(pthread_join)(t, NULL);
    struct kernel_action a;   /* (libc's sigaction does not let this signal be changed) */
    if (syscall(SYS_rt_sigaction, CANCEL_SIGNAL, NULL, &a, sizeof a.mask) != 0 || !(a.flags & SA_SIGINFO))
        return;
    at_work_start();
    at_work_installed(CANCEL_SIGNAL);
    cancels = a.fn;
    a.fn = cancel_handler;
    syscall(SYS_rt_sigaction, CANCEL_SIGNAL, &a, NULL, sizeof a.mask);
}

void race_signal_cancels(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    int state;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    REAL(pthread_once)(&once, replace_handler);
    pthread_setcancelstate(state, NULL);
}
