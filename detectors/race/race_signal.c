/* Signal handlers of the program run on the goroutine that they interrupt, as part of it. But a signal may come while the detector itself is at
 * work on that thread, perhaps with one of its locks held: the handler's first access would wait for ever. Then the signal is deferred (race_deferred.h),
 * until the thread's next access that is new to the detector, or until it finds the thread in the program. Where that can't be (a fault; a thread that
 * stays where it is, as one of the runtime that has nothing to do), the handler runs unchecked.
 *
 * Whether the detector was at work is read from where the signal came: all code of the detector and the runtime is in one section, and what it
 * calls in libc with a lock held are a few leaves, whose return address lies at the top of the stack. A call into libc that waits on the
 * program's behalf says so (BLOCKING). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "race_deferred.h"
#include "race_libc.h"
#include "race_real.h"

_Thread_local unsigned race_in_call;
_Thread_local unsigned race_deferring;
/* While a handler runs unchecked: the race_g it interrupted. longjmp out of it goes on as that one. */
_Thread_local struct race_g *race_interrupted __attribute__((tls_model("initial-exec")));

static _Thread_local bool is_over;   /* the thread is at its end, and not checked any more */

/* A program may be in the detector for 98 % of its time, but not for long each time; a thread of the runtime that waits for work is. */
enum { TRIES = 200, IDLE_TRIES = 8 };
enum { SIGNALS = 65, TOP_WORDS = 8, LEAF_BYTES = 192 };
static struct {
    _Atomic(uintptr_t) fn;       /* also the address by which its installation is ordered before its calls */
    atomic_bool wants_info;
    atomic_bool is_once;         /* SA_RESETHAND: it is reset here, since a deferred signal comes more than once */
    atomic_bool interrupts;      /* siginterrupt's, for signal() */
} handlers[SIGNALS];

/* The leaves. syscall pushes nothing, so its caller is known for sure: the program calls it, too, and may well send a signal to itself that way, which is
 * handled before the call returns. */
static const char *const leaf_names[] = {"syscall", "sched_yield", "mmap", "mmap64", "munmap", "mincore", "madvise"};
enum { SYSCALL, LEAVES = sizeof leaf_names / sizeof leaf_names[0] };
static _Atomic(uintptr_t) leaves[LEAVES];

static void find_leaves(void)
{
    for (int i = 0; i < LEAVES; i++)
        if (!atomic_load_explicit(&leaves[i], memory_order_relaxed))
            atomic_store_explicit(&leaves[i], (uintptr_t)dlsym(RTLD_NEXT, leaf_names[i]), memory_order_relaxed);
}

/* LEAVES: in none. */
static int leaf_of(uintptr_t pc)
{
    int i = 0;
    while (i < LEAVES && pc - atomic_load_explicit(&leaves[i], memory_order_relaxed) >= LEAF_BYTES)
        i++;
    return i;
}

/* A handler that has returned is in libc's __restore_rt: what it interrupted is still to be taken up, from the context on top of the stack. */
struct kernel_action {   /* sigaction as the kernel has it, which libc's does not tell all of */
    void (*fn)(int, siginfo_t *, void *);
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};
static _Atomic(uintptr_t) restorer;
enum { RESTORER_BYTES = 9 };

static void find_restorer(int s)
{
    struct kernel_action a;
    if (!atomic_load_explicit(&restorer, memory_order_relaxed) && syscall(SYS_rt_sigaction, s, NULL, &a, sizeof a.mask) == 0)
        atomic_store_explicit(&restorer, (uintptr_t)a.restorer, memory_order_relaxed);
}

static const ucontext_t *interrupted(const ucontext_t *uc)
{
    uintptr_t from = atomic_load_explicit(&restorer, memory_order_relaxed);
    while (from && (uintptr_t)uc->uc_mcontext.gregs[REG_RIP] - from < RESTORER_BYTES)
        uc = (const ucontext_t *)uc->uc_mcontext.gregs[REG_RSP];
    return uc;
}

static bool is_at_work(const ucontext_t *uc)
{
    uc = interrupted(uc);
    if (race_deferring)
        return true;
    if (race_in_call)
        return false;
    uintptr_t pc = (uintptr_t)uc->uc_mcontext.gregs[REG_RIP];
    if (is_ours(pc))
        return true;
    int leaf = leaf_of(pc);
    const uintptr_t *sp = (const uintptr_t *)uc->uc_mcontext.gregs[REG_RSP];
    for (int i = 0; leaf < LEAVES && i < (leaf == SYSCALL ? 1 : TOP_WORDS); i++)
        if (is_ours(sp[i]))
            return true;
    return false;
}

/* A signal for what the interrupted instruction did can't wait. */
static bool is_fault(int s, const siginfo_t *info)
{
    return info->si_code > 0 && (s == SIGSEGV || s == SIGBUS || s == SIGFPE || s == SIGILL || s == SIGTRAP || s == SIGSYS);
}

/* Nor one for the runtime, nor where the thread will not come back from the detector. */
static bool comes_later(int s, const siginfo_t *info, uintptr_t fn, bool is_again)
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
    uintptr_t fn = atomic_load_explicit(&handlers[s].fn, memory_order_acquire);
    if (atomic_load_explicit(&handlers[s].is_once, memory_order_relaxed))
        REAL(sigaction)(s, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
    race_acquire(race_cur_tls, &handlers[s].fn);
    if (atomic_load_explicit(&handlers[s].wants_info, memory_order_relaxed))
        ((void (*)(int, siginfo_t *, void *))fn)(s, info, context);
    else
        ((void (*)(int))fn)(s);
}

static void handler(int s, siginfo_t *info, void *context)
{
    enum deferred_kind kind = deferred_is(info);
    if (kind == DEFERRED_STALE)
        return;
    bool at_work = is_at_work(context);
    if (at_work && comes_later(s, info, atomic_load_explicit(&handlers[s].fn, memory_order_relaxed), kind == DEFERRED_AGAIN))
        return;
    struct race_g *g = race_cur_tls, *outer = race_interrupted;
    unsigned in_call = race_in_call;
    bool unchecked = at_work && g != &race_ignored;
    if (unchecked) {
        race_interrupted = g;
        race_cur_tls = &race_ignored;
    }
    race_in_call = 0;
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
    if (unchecked) {
        race_interrupted = outer;
        race_cur_tls = g;
    }
}

/* ---- cancellation at any time (PTHREAD_CANCEL_ASYNCHRONOUS) comes by a signal of glibc's own, whose handler ends the thread. In the detector it would end
 * with locks held for ever, so it is deferred like the program's. If it can't come later, it comes at the thread's next cancellation point: glibc has noted
 * that it is to be cancelled. ---- */

enum { CANCEL = 32 };
static void (*cancels)(int, siginfo_t *, void *);   /* glibc's handler */

static void cancel_handler(int s, siginfo_t *info, void *context)
{
    enum deferred_kind kind = deferred_is(info);
    if (kind == DEFERRED_STALE)
        return;
    if (is_at_work(context)) {
        comes_later(s, info, 0, kind == DEFERRED_AGAIN);
        return;
    }
    siginfo_t earlier;
    if (kind == DEFERRED_AGAIN) {
        deferred_take(info, &earlier);
        info = &earlier;
    }
    cancels(s, info, context);
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
    struct kernel_action a;
    if (syscall(SYS_rt_sigaction, CANCEL, NULL, &a, sizeof a.mask) != 0 || !(a.flags & SA_SIGINFO))
        return;
    find_leaves();
    cancels = a.fn;
    a.fn = cancel_handler;
    syscall(SYS_rt_sigaction, CANCEL, &a, NULL, sizeof a.mask);
}

void race_signal_cancels(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    int state;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    REAL(pthread_once)(&once, replace_handler);
    pthread_setcancelstate(state, NULL);
}

/* ---- deferred signals ---- */

/* Here and now, as the kernel would: with what the handler wants blocked. `mask`: the thread's, and what the handler makes of it. */
static void handle(int s, siginfo_t *info, sigset_t *mask)
{
    struct sigaction a;
    ucontext_t here;
    if (s == CANCEL) {
        BLOCKING(pthread_sigmask(SIG_SETMASK, mask, NULL));
        getcontext(&here);
        cancels(s, info, &here);
        return;
    }
    if (REAL(sigaction)(s, NULL, &a) != 0 || !(a.sa_flags & SA_SIGINFO) || a.sa_sigaction != handler)
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
static void handle_deferred(int from, int to)
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

void race_signals_first(void)
{
    if (deferred_any())
        handle_deferred(1, SIGNALS - 1);
}

bool race_signals_come(struct race_g *g)
{
    if (g->disabled & SIGNAL_WAITS) {
        g->disabled &= ~(uint32_t)SIGNAL_WAITS;
        handle_deferred(1, SIGNALS - 1);
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

/* The kernel has our handler, the program sees its own. */
static int set_action(int s, const struct sigaction *new, struct sigaction *old)
{
    if (s < 1 || s >= SIGNALS)
        return REAL(sigaction)(s, new, old);
    uintptr_t before = atomic_load_explicit(&handlers[s].fn, memory_order_relaxed);
    bool before_info = atomic_load_explicit(&handlers[s].wants_info, memory_order_relaxed);
    bool before_once = atomic_load_explicit(&handlers[s].is_once, memory_order_relaxed);
    struct sigaction ours, was;
    bool is_function = new && (new->sa_flags & SA_SIGINFO || (new->sa_handler != SIG_DFL && new->sa_handler != SIG_IGN));
    if (new && !is_function && deferred_any()) {   /* what comes again would meet the default action */
        handle_deferred(s, s);
        deferred_wait(s);
    }
    if (is_function) {
        find_leaves();
        ours = *new;
        ours.sa_flags |= SA_SIGINFO;
        ours.sa_flags &= ~(int)SA_RESETHAND;
        ours.sa_sigaction = handler;
        race_release(race_cur(), &handlers[s].fn);
        atomic_store_explicit(&handlers[s].wants_info, (new->sa_flags & SA_SIGINFO) != 0, memory_order_relaxed);
        atomic_store_explicit(&handlers[s].is_once, (new->sa_flags & (int)SA_RESETHAND) != 0, memory_order_relaxed);
        atomic_store_explicit(&handlers[s].fn, (uintptr_t)new->sa_sigaction, memory_order_release);
    }
    int err = REAL(sigaction)(s, is_function ? &ours : new, &was);
    if (is_function && err == 0)
        find_restorer(s);
    if (err != 0) {
        if (is_function) {
            atomic_store_explicit(&handlers[s].wants_info, before_info, memory_order_relaxed);
            atomic_store_explicit(&handlers[s].is_once, before_once, memory_order_relaxed);
            atomic_store_explicit(&handlers[s].fn, before, memory_order_release);
        }
        return err;
    }
    if (old) {
        if (was.sa_flags & SA_SIGINFO && was.sa_sigaction == handler) {
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
    bool interrupts = s > 0 && s < SIGNALS && atomic_load_explicit(&handlers[s].interrupts, memory_order_relaxed);
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
        atomic_store_explicit(&handlers[s].interrupts, interrupts != 0, memory_order_relaxed);
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
