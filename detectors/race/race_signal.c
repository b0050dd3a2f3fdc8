/* Signal handlers of the program run on the goroutine that they interrupt, as part of it. But a signal may come while the detector itself is at
 * work on that thread, perhaps with one of its locks held: the handler's first access would wait for ever. Then the signal is deferred (race_deferred.h),
 * until the thread's next access that is new to the detector, or until it finds the thread in the program. Where that can't be (a fault; a thread that
 * stays where it is, as one of the runtime that has nothing to do), the handler runs unchecked. */
#define _GNU_SOURCE
#include "race_signal.h"

#include <errno.h>
#include <pthread.h>

#include "race_deferred.h"
#include "race_libc.h"
#include "race_real.h"

/* While a handler runs unchecked: the race_g it interrupted. longjmp out of it goes on as that one. */
_Thread_local struct race_g *race_interrupted __attribute__((tls_model("initial-exec")));

static _Thread_local bool is_over;   /* the thread is at its end, and not checked any more */

/* A program may be in the detector for 98 % of its time, but not for long each time; a thread of the runtime that waits for work is. */
enum { TRIES = 200, IDLE_TRIES = 8 };

struct signal_handler signal_handlers[SIGNALS];

/* A signal for what the interrupted instruction did can't wait. */
static bool is_fault(int s, const siginfo_t *info)
{
    return info->si_code > 0 && (s == SIGSEGV || s == SIGBUS || s == SIGFPE || s == SIGILL || s == SIGTRAP || s == SIGSYS);
}

/* Nor one for the runtime, nor where the thread will not come back from the detector. */
bool signal_comes_later(int s, const siginfo_t *info, uintptr_t fn, bool is_again)
{
    struct race_g *g = race_cur_tls;
    if (is_over || race_interrupted || is_ours(fn) || is_fault(s, info))
        return false;
    race_deferring++;
    bool later = is_again ? deferred_again(info, g == &race_ignored ? IDLE_TRIES : TRIES) : deferred_add(s, info);
    race_deferring--;
    if (later && g && g != &race_ignored)   /* (what we interrupted may change it just now and take that back: then the timer is there) */
        g->disabled |= SIGNAL_WAITS;
    return later;
}

static void call(int s, siginfo_t *info, void *context)
{
    uintptr_t fn = atomic_load_explicit(&signal_handlers[s].fn, memory_order_acquire);
    if (atomic_load_explicit(&signal_handlers[s].is_once, memory_order_relaxed))
        REAL(sigaction)(s, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
    race_acquire(race_cur_tls, &signal_handlers[s].fn);
    if (atomic_load_explicit(&signal_handlers[s].wants_info, memory_order_relaxed))
        ((void (*)(int, siginfo_t *, void *))fn)(s, info, context);
    else
        ((void (*)(int))fn)(s);
}

void signal_entry(int s, siginfo_t *info, void *context)
{
    enum deferred_kind kind = deferred_is(info);
    if (kind == DEFERRED_STALE)
        return;
    struct race_left left = {0, 0};
    bool at_work = is_at_work(context);
    if (at_work && is_fault(s, info) && race_atomic_left(&left))
        at_work = false;   /* in what the program does */
    if (at_work && signal_comes_later(s, info, atomic_load_explicit(&signal_handlers[s].fn, memory_order_relaxed), kind == DEFERRED_AGAIN))
        return;
    struct race_g *g = race_cur_tls, *outer = race_interrupted;
    unsigned in_call = race_in_call, deferring = race_deferring;
    bool unchecked = at_work && g != &race_ignored;
    if (unchecked) {
        race_interrupted = g;
        race_cur_tls = &race_ignored;
    }
    race_in_call = race_deferring = 0;
    siginfo_t earlier;
    if (s >= KERNEL_RTMIN) {   /* these are handled in the order in which they came; those to come must not hang on a handler that returns */
        bool waits = kind == DEFERRED_AGAIN || (deferred_oldest(s, s, NULL) && deferred_add(s, info));
        while (deferred_take_oldest(s, s, NULL, &earlier)) {
            waits = waits || deferred_add(s, info);   /* if there was no room, there is now */
            call(s, &earlier, context);
        }
        if (!waits)
            call(s, info, context);
    } else {
        if (kind == DEFERRED_AGAIN)
            deferred_take(info, &earlier);
        call(s, kind == DEFERRED_AGAIN ? &earlier : info, context);
    }
    race_in_call = in_call;
    race_deferring = deferring;
    race_atomic_back(&left);
    if (unchecked) {
        race_interrupted = outer;
        race_cur_tls = g;
    }
}

/* Here and now, as the kernel would: with what the handler wants blocked. `mask`: the thread's, and what the handler makes of it. */
static void handle(int s, siginfo_t *info, sigset_t *mask)
{
    struct sigaction a;
    ucontext_t here;
    if (s == CANCEL_SIGNAL) {
        BLOCKING(pthread_sigmask(SIG_SETMASK, mask, NULL));
        getcontext(&here);
        cancel_now(info, &here);
        return;
    }
    if (REAL(sigaction)(s, NULL, &a) != 0 || !(a.sa_flags & SA_SIGINFO) || a.sa_sigaction != signal_entry)
        return;
    sigorset(&a.sa_mask, &a.sa_mask, mask);
    if (!(a.sa_flags & SA_NODEFER))
        sigaddset(&a.sa_mask, s);
    getcontext(&here);
    here.uc_sigmask = *mask;
    BLOCKING(pthread_sigmask(SIG_SETMASK, &a.sa_mask, NULL));
    unsigned in_call = race_in_call;
    race_in_call = 0;
    call(s, info, &here);
    race_in_call = in_call;
    *mask = here.uc_sigmask;
}

/* Its handler is called on another stack, which only the kernel can do. */
static bool needs_stack(int s)
{
    struct sigaction a;
    stack_t at;
    return REAL(sigaction)(s, NULL, &a) == 0 && (a.sa_flags & SA_ONSTACK) && sigaltstack(NULL, &at) == 0 && !(at.ss_flags & (SS_ONSTACK | SS_DISABLE));
}

/* What was deferred on this thread and isn't blocked, of signals [from, to]. All are blocked while it is taken: another would overtake it. */
void signal_handle_deferred(int from, int to)
{
    sigset_t all, mask, not_now, on_stack;
    siginfo_t info;
    int saved = errno, s = from;
    sigfillset(&all);
    sigemptyset(&on_stack);
    while (s && pthread_sigmask(SIG_SETMASK, &all, &mask) == 0) {
        sigorset(&not_now, &mask, &on_stack);
        s = deferred_oldest(from, to, &not_now);
        bool hurries = s && needs_stack(s);
        if (hurries) {
            sigaddset(&on_stack, s);
        } else if (s && deferred_take_oldest(s, s, NULL, &info)) {
            if (s < KERNEL_RTMIN)
                deferred_drop_sent(s);
            handle(s, &info, &mask);
        }
        BLOCKING(pthread_sigmask(SIG_SETMASK, &mask, NULL));
        if (hurries)
            BLOCKING((deferred_hurry(s), 0));
    }
    errno = saved;
}

int signal_take_deferred(const sigset_t *set, siginfo_t *info)
{
    for (int s = deferred_any() ? 1 : SIGNALS; s < SIGNALS; s++) {
        if (sigismember(set, s) != 1 || !deferred_take_oldest(s, s, NULL, info))
            continue;
        if (s < KERNEL_RTMIN)
            deferred_drop_sent(s);
        return s;
    }
    return 0;
}

bool signal_is_for_waiter(siginfo_t *info)
{
    siginfo_t earlier;
    enum deferred_kind kind = deferred_is(info);
    if (kind != DEFERRED_AGAIN)
        return kind == DEFERRED_NOT;
    if (!deferred_take(info, &earlier))
        return false;
    *info = earlier;
    return true;
}

void race_signals_first(void)
{
    if (deferred_any())
        signal_handle_deferred(1, SIGNALS - 1);
}

bool race_signals_come(struct race_g *g)
{
    if (g->disabled & SIGNAL_WAITS) {
        g->disabled &= ~(uint32_t)SIGNAL_WAITS;
        signal_handle_deferred(1, SIGNALS - 1);
    }
    return race_is_off(g);   /* another one that waits since is the next hook's */
}

void race_signal_thread_ends(void)
{
    race_signals_first();
    is_over = true;
    race_signals_first();   /* what came in between */
    deferred_thread_ends();
}
