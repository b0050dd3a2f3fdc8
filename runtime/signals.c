/* Signals. What a handler may do is little, so it notes what happened and wakes the monitor, which has a thread and a big stack of its own and does
 * the rest: sending to the channels that asked (go_signal_notify), or printing the end of the program (fatal.c).
 *
 * Handlers run on an alternate stack of each thread, since a goroutine's own may be what has just overflown. */
#define _GNU_SOURCE
#include "signals.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <gort/signal.h>

#include "chan.h"
#include "ending.h"
#include "internal.h"
#include "netpoll.h"
#include "os.h"
#include "os_net.h"

enum { ALT_STACK_BYTES = 64 * 1024, NSIGS = 65, STOP_SIGNAL = SIGQUIT };
enum { STOP_NO, STOP_ASKED, STOP_STOPPED, STOP_OVER };   /* m->stop */

static const int fatal_signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGQUIT};

struct subscription {
    struct subscription *next;
    struct gort_chan *chan;
    uint64_t signals;                    /* bit by number */
};

static struct {
    struct lock lock;                    /* rank SIGNAL; the list and `wanted` */
    struct subscription *list;
    _Atomic(uint64_t) wanted;            /* written under the lock, read by the handler */
    _Atomic(uint64_t) pending;           /* bit by number: came, not yet sent on */
    atomic_int noting;                   /* handlers between their look at `wanted` and `pending` */
    struct sigaction before[NSIGS];      /* (lock) what to go back to */
    struct fatal_signal fatal;           /* whoever sets `dying` writes it, before `fatal_ready` */
    atomic_bool dying, fatal_ready;
    bool stop_works;                     /* STOP_SIGNAL is ours */
} sig = {.lock = LOCK_INIT(SIGNAL)};

/* sigaction() for the runtime's own purposes: what it reads and writes is guarded by `lock`, or nobody else's. */
static int action(int s, const struct sigaction *new, struct sigaction *old)
{
    hook_ignore_begin();
    int err = sigaction(s, new, old);
    hook_ignore_end();
    return err;
}

static uint64_t bit(int s)
{
    return (uint64_t)1 << (s - 1);
}

static void sleep_for_ever(void)
{
    for (;;)
        os_nanosleep(1000000000);
}

/* A thread that was asked to stop leaves its registers and waits until it may go on: whoever asked needs what it may have locked. */
static void stop_here(struct m *m, const ucontext_t *uc)
{
    m->stopped_regs = ctx_regs_of(uc);
    unsigned asked = STOP_ASKED;
    if (!atomic_compare_exchange_strong_explicit(&m->stop, &asked, STOP_STOPPED, memory_order_acq_rel, memory_order_acquire))
        return;
    while (atomic_load_explicit(&m->stop, memory_order_acquire) == STOP_STOPPED)
        os_nanosleep(50000);
}

static void die(int s, const siginfo_t *info, const ucontext_t *uc)
{
    struct m *m = rt_m();
    if (m && s == STOP_SIGNAL && info->si_code == SI_TKILL && atomic_load_explicit(&m->stop, memory_order_acquire) != STOP_NO) {
        stop_here(m, uc);
        return;
    }
    bool second = atomic_exchange_explicit(&sig.dying, true, memory_order_acq_rel);
    if (fatal_reports_on(os_tid()) || (second && (os_tid() == sig.fatal.tid || os_tid() == sched.monitor_tid))) {   /* the report itself failed */
        static const char text[] = "\nfatal error: gort: another signal while a fatal error was being reported\n";
        os_write(2, text, sizeof text - 1);
        _exit(2);
    }
    if (second)
        sleep_for_ever();   /* the first one speaks */
    sig.fatal = (struct fatal_signal){
        .sig = s, .code = info->si_code, .addr = (uintptr_t)info->si_addr, .regs = ctx_regs_of(uc), .m = m, .tid = os_tid()};
    atomic_store_explicit(&sig.fatal_ready, true, memory_order_release);
    if (sig.fatal.tid == sched.monitor_tid || sched_forked)   /* a bug of the runtime, or a child of fork: nobody else is there to speak */
        fatal_signal(&sig.fatal);
    note_wake(&sched.monitor_note);
    ending_watch();
    sleep_for_ever();
}

/* Notes s for the channels that ask for it; whether any does. `noting` pairs with gort_signal_stop: either it sees that a handler is at work, or the
 * handler sees that nobody asks any more. */
static bool note_wanted(int s)
{
    atomic_fetch_add_explicit(&sig.noting, 1, memory_order_seq_cst);
    bool wanted = atomic_load_explicit(&sig.wanted, memory_order_seq_cst) & bit(s);
    if (wanted)
        atomic_fetch_or_explicit(&sig.pending, bit(s), memory_order_seq_cst);
    atomic_fetch_sub_explicit(&sig.noting, 1, memory_order_seq_cst);
    if (wanted)
        note_wake(&sched.monitor_note);
    return wanted;
}

static void handler(int s, siginfo_t *info, void *context);

static bool is_fatal(int s)
{
    for (size_t i = 0; i < sizeof fatal_signals / sizeof fatal_signals[0]; i++)
        if (fatal_signals[i] == s)
            return true;
    return false;
}

/* Nobody asks for s. Its last channel may have been stopped just now: then it does what it did before, as soon as the handler returns and it is no longer
 * blocked. (A handler of the program's that we find there instead may be the one that calls us.) */
static void do_unwanted(int s, siginfo_t *info, const ucontext_t *uc)
{
    struct sigaction now;
    bool dying = atomic_load_explicit(&sig.dying, memory_order_relaxed);
    bool stopped = action(s, NULL, &now) == 0 && now.sa_sigaction != handler && now.sa_sigaction == sig.before[s].sa_sigaction;
    if (is_fatal(s) && (dying || !stopped))
        die(s, info, uc);
    if (!dying && stopped)
        syscall(SYS_rt_tgsigqueueinfo, os_pid(), os_tid(), s, info);
    else if (!dying && atomic_load_explicit(&sig.wanted, memory_order_seq_cst) & bit(s))
        note_wanted(s);   /* asked for anew */
}

static void handler(int s, siginfo_t *info, void *context)
{
    int saved = errno;
    if (atomic_load_explicit(&sig.dying, memory_order_relaxed) || !note_wanted(s))
        do_unwanted(s, info, context);
    errno = saved;
}

static int install(int s, struct sigaction *old)
{
    struct sigaction ours = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
    sigfillset(&ours.sa_mask);
    /* A fault inside the handler still counts, and a thread that waits in `die` can still be stopped. */
    for (size_t i = 0; i < sizeof fatal_signals / sizeof fatal_signals[0]; i++)
        sigdelset(&ours.sa_mask, fatal_signals[i]);
    return action(s, &ours, old);
}

static bool was_ignored(int s)
{
    struct sigaction now;
    return sigaction(s, NULL, &now) == 0 && !(now.sa_flags & SA_SIGINFO) && now.sa_handler == SIG_IGN;
}

/* What a shell's script starts with & ignores SIGQUIT, which nobody meant: it is as if it were not so, as in Go. If the program says that it ignores the signal
 * before the runtime starts, it does, unless it was so already. */
static bool quit_was_ignored;
__attribute__((constructor)) static void look_at_inherited(void)
{
    quit_was_ignored = was_ignored(SIGQUIT);
}

void signals_start(void)
{
    for (size_t i = 0; i < sizeof fatal_signals / sizeof fatal_signals[0]; i++) {
        int s = fatal_signals[i];
        struct sigaction now;
        bool inherited = s == SIGQUIT && quit_was_ignored && was_ignored(s);
        if (!inherited && (action(s, NULL, &now) != 0 || now.sa_flags & SA_SIGINFO || now.sa_handler != SIG_DFL))
            continue;
        install(s, NULL);
        if (s == STOP_SIGNAL)
            sig.stop_works = true;
    }
}

void signals_thread_start(struct m *m)
{
    stack_t now;
    if (sigaltstack(NULL, &now) != 0 || !(now.ss_flags & SS_DISABLE))
        return;   /* somebody has given it one */
    if (!m->alt_stack)
        m->alt_stack = os_map(ALT_STACK_BYTES);
    if (m->alt_stack)
        sigaltstack(&(stack_t){.ss_sp = m->alt_stack, .ss_size = ALT_STACK_BYTES}, NULL);
}

void signals_thread_end(struct m *m)
{
    stack_t now;
    if (m->alt_stack && sigaltstack(NULL, &now) == 0 && now.ss_sp == m->alt_stack)
        sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL);
}

bool signals_stop_thread(struct m *m, struct tb_regs *regs)
{
    struct sigaction now;
    uint32_t tid = __atomic_load_n(&m->tid, __ATOMIC_ACQUIRE);
    if (!sig.stop_works || tid == 0 || action(STOP_SIGNAL, NULL, &now) != 0 || now.sa_sigaction != handler)
        return false;
    atomic_store_explicit(&m->stop, STOP_ASKED, memory_order_release);
    if (syscall(SYS_tgkill, os_pid(), tid, STOP_SIGNAL) != 0)
        return false;
    for (int i = 0; i < 200 && atomic_load_explicit(&m->stop, memory_order_acquire) != STOP_STOPPED; i++)
        os_nanosleep(i < 20 ? 20000 : 500000);
    unsigned asked = STOP_ASKED;   /* one that comes later is not waited for any more, and need not stop */
    if (atomic_compare_exchange_strong_explicit(&m->stop, &asked, STOP_OVER, memory_order_acq_rel, memory_order_acquire))
        return false;
    *regs = m->stopped_regs;
    return true;
}

void signals_let_go(struct m *m)
{
    atomic_store_explicit(&m->stop, STOP_OVER, memory_order_release);
}

/* ---- signals as channels ---- */

bool signals_pending(void)
{
    return atomic_load_explicit(&sig.pending, memory_order_seq_cst) != 0 || atomic_load_explicit(&sig.fatal_ready, memory_order_acquire);
}

/* Sends what has come to every channel that asked; under the lock, so that gort_signal_stop can promise that none is on its way, and none lost. The goroutines
 * that this woke, which are the caller's to ready. */
static struct g *send_pending_locked(void)
{
    struct g *first = NULL, **last = &first;
    uint64_t came = atomic_exchange_explicit(&sig.pending, 0, memory_order_seq_cst);
    for (int s = 1; s < NSIGS; s++) {
        if (!(came & bit(s)))
            continue;
        for (struct subscription *x = sig.list; x; x = x->next) {
            if (!(x->signals & bit(s)))
                continue;
            struct g *wake;
            lock(&x->chan->lock);
            chan_send_locked(x->chan, NULL, &s, &wake);   /* full or closed: dropped */
            unlock(&x->chan->lock);
            if (wake) {
                *last = wake;
                last = &wake->next;
            }
        }
    }
    *last = NULL;
    return first;
}

/* On the monitor's thread. */
void signals_run(void)
{
    if (atomic_load_explicit(&sig.fatal_ready, memory_order_acquire))
        fatal_signal(&sig.fatal);
    lock(&sig.lock);
    struct g *first = send_pending_locked();
    unlock(&sig.lock);
    rt_ready_all(NULL, first);
}

static bool can_be_had(int s)
{
    return s != SIGSEGV && s != SIGBUS && s != SIGFPE && s != SIGILL && s != SIGABRT && s != SIGKILL && s != SIGSTOP && s != SIGCHLD &&
           s != SIGURG && s != 32 && s != 33;   /* 32 and 33 are libc's */
}

void gort_signal_notify(struct gort_chan *c, const int *signals, size_t n)
{
    rt_enter();
    uint64_t set = 0;
    for (size_t i = 0; i < n; i++) {
        if (signals[i] < 1 || signals[i] >= NSIGS || signals[i] == SIGKILL || signals[i] == SIGSTOP || signals[i] == 32 || signals[i] == 33)
            rt_panic("go_signal_notify: signal %d can't be caught", signals[i]);
        set |= bit(signals[i]);
    }
    for (int s = 1; n == 0 && s < NSIGS; s++)
        set |= can_be_had(s) ? bit(s) : 0;
    if (!c)
        rt_panic("go_signal_notify: nil channel");
    hook_ignore_begin();
    struct subscription *x = calloc(1, sizeof *x);
    hook_ignore_end();
    if (!x)
        rt_fatal("go_signal_notify: no memory");
    if (set & bit(SIGPIPE))
        os_quiet_sigpipe();   /* what a stop goes back to: go_write relies on it if the first pipe is made meanwhile */
    lock(&sig.lock);
    struct subscription *old = sig.list;
    while (old && old->chan != c)
        old = old->next;
    if (old) {
        old->signals |= set;
    } else {
        *x = (struct subscription){sig.list, c, set};
        sig.list = x;
        atomic_fetch_add_explicit(&netpoll_waiters, 1, memory_order_seq_cst);   /* something may come from outside */
    }
    uint64_t had = atomic_load_explicit(&sig.wanted, memory_order_relaxed);
    atomic_store_explicit(&sig.wanted, had | set, memory_order_release);
    for (int s = 1; s < NSIGS; s++)
        if (set & ~had & bit(s))
            install(s, &sig.before[s]);
    unlock(&sig.lock);
    hook_ignore_begin();
    if (old)
        free(x);
    hook_ignore_end();
    rt_leave();
}

void gort_signal_stop(struct gort_chan *c)
{
    rt_enter();
    struct g *ready = NULL;
    lock(&sig.lock);
    struct subscription **link = &sig.list, *gone = NULL;
    while (*link && (*link)->chan != c)
        link = &(*link)->next;
    if (*link) {
        gone = *link;
        uint64_t still = 0, had = atomic_load_explicit(&sig.wanted, memory_order_relaxed);
        for (struct subscription *x = sig.list; x; x = x->next)
            still |= x == gone ? 0 : x->signals;
        for (int s = 1; s < NSIGS; s++)
            if (had & ~still & bit(s))
                action(s, &sig.before[s], NULL);
        atomic_store_explicit(&sig.wanted, still, memory_order_seq_cst);
        while (atomic_load_explicit(&sig.noting, memory_order_seq_cst) != 0)
            os_thread_yield();
        ready = send_pending_locked();   /* what came before is c's, too */
        *link = gone->next;
        atomic_fetch_sub_explicit(&netpoll_waiters, 1, memory_order_seq_cst);
    }
    unlock(&sig.lock);
    rt_ready_all(rt_m(), ready);
    hook_ignore_begin();
    free(gone);
    hook_ignore_end();
    rt_leave();
}
