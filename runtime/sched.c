/* The scheduler: which goroutine runs where, and when a thread is woken or put to sleep.
 *
 * G, M and P are Go's (types.h). A worker M holding a P runs goroutines; rt_park switches straight from the parking goroutine to
 * the next of the P's queue, without a detour over the scheduler's own stack (g0), and to g0 only when there is
 * none. So a goroutine is visible to wakers before its registers are saved; ctx.on_cpu settles that (context.h).
 *
 * When to wake a thread. Waking costs the waker 15-22 us, and a thread that spins for work burns a processor. As in Go, at most one
 * M is woken at a time, it spins (looks for work for RT_SPIN_NS), and if it finds work and there is more, it wakes the next:
 *
 *   submitter                               M that gives up spinning
 *   1. puts the goroutine into its queue    1. gives its P back (nidle + 1)
 *   2. (B) full barrier                     2. (A) nspinning - 1
 *   3. if nidle > 0 and nspinning == 0:     3. looks through all queues once more; finds work: takes a P back
 *      wakes one
 *
 * Each side stores before it loads, in sequentially consistent order, so at least one of them sees the other: no goroutine is left in a queue while
 * a P is idle and nobody looks. (An M that stops spinning because it found work runs step 3 too: sched_after_spin.)
 *
 * Rejected: waking a thread for each goroutine readied (two wake-ups for each message between two goroutines); a central queue
 * (one cache line that all fight for); handing the P over with each goroutine readied (threads ping-pong).
 *
 * Timers lie in the Ps' heaps. A P runs its own at each turn through the scheduler. Those of the others are watched by the
 * timekeeper, the first M that went to sleep, which sleeps only until the first of all timers. (T): it stores keep_until, then reads the
 * heaps' firsts again; who arms a timer stores the heap's first, then reads keep_until. Sequentially consistent both, so either the
 * timekeeper sees the timer, or the starter sees that it must be woken.
 *
 * The timekeeper waits in the netpoller, once there is one. One M at a time: a call back (netpoll_break) is a readable descriptor, which the one
 * that leaves takes with it; if another had begun to wait already, it might lose its own. So a new timekeeper sleeps on its note until the former has
 * left, which wakes it (sched.polling).
 *
 * A thread's goroutine runs without a P, on its own thread alone: a program's loop on that thread can't hold up goroutines, nor
 * they it. It parks on its M's own g0, which sleeps.
 *
 * All asleep: when the last P has become idle, no thread's goroutine runs and no timer is armed, nothing can ever happen again, unless
 * the process has threads that we don't know; then the monitor looks again from time to time. */
#include "asan.h"
#include "internal.h"
#include "netpoll.h"
#include "os.h"
#include "signals.h"

#include <errno.h>
#include <stdlib.h>

enum { POLL_SHARE = 16 };   /* so many goroutines readied at once are worth waking a thread for */

struct sched sched = {.lock = LOCK_INIT(SCHED), .keep_until = TIMER_NEVER};

static _Noreturn void worker_main(void *arg);

static int64_t clock_read(void)
{
    int64_t now = os_now();
    atomic_store_explicit(&sched.now, now, memory_order_relaxed);   /* a hint */
    return now;
}

/* ---- Ps ---- */

static void p_put_idle_locked(struct p *p)
{
    RT_ASSERT(lock_is_held(&sched.lock));
    p->m = NULL;
    p->status = P_IDLE;
    p->idle_next = sched.idle_ps;
    sched.idle_ps = p;
    atomic_fetch_add_explicit(&sched.nidle, 1, memory_order_seq_cst);   /* (A) 1 */
}

static struct p *p_get_idle_locked(struct m *m)
{
    RT_ASSERT(lock_is_held(&sched.lock));
    struct p *p = sched.idle_ps;
    if (p) {
        sched.idle_ps = p->idle_next;
        p->status = P_RUNNING;   /* before the barrier below: see wake_monitor */
        p->m = m;
        atomic_fetch_sub_explicit(&sched.nidle, 1, memory_order_seq_cst);
    }
    return p;
}

/* Whoever has taken a P from the idle list calls this: the monitor sleeps without end while all Ps are idle. It stores monitor_asleep, then
 * reads the Ps' status; we stored the status, then read monitor_asleep: one of us sees the other. */
static void wake_monitor(void)
{
    if (atomic_load_explicit(&sched.monitor_asleep, memory_order_seq_cst))
        note_wake(&sched.monitor_note);
}

static struct p *p_new(uint32_t id)
{
    struct p *p = os_map(sizeof *p);
    RT_CHECK(p != NULL);
    p->id = id;
    timers_init(&p->timers);
    return p;
}

/* ---- the global queue ---- */

static void global_put_locked(struct g *g)
{
    RT_ASSERT(lock_is_held(&sched.lock));
    g->next = NULL;
    if (sched.global.last)
        sched.global.last->next = g;
    else
        sched.global.first = g;
    sched.global.last = g;
    atomic_fetch_add_explicit(&sched.global.n, 1, memory_order_seq_cst);
}

static struct g *global_get_locked(void)
{
    struct g *g = sched.global.first;
    if (g) {
        sched.global.first = g->next;
        if (!g->next)
            sched.global.last = NULL;
        g->next = NULL;
        atomic_fetch_sub_explicit(&sched.global.n, 1, memory_order_relaxed);
    }
    return g;
}

void sched_global_put(struct g *g)
{
    lock(&sched.lock);
    global_put_locked(g);
    unlock(&sched.lock);
}

/* Takes one to run and a fair share more into the P's queue. */
static struct g *global_get(struct p *p)
{
    int n = atomic_load_explicit(&sched.global.n, memory_order_seq_cst);
    if (n == 0)
        return NULL;
    lock(&sched.lock);
    struct g *first = global_get_locked();
    int share = n / atomic_load_explicit(&sched.nprocs, memory_order_relaxed);
    for (int i = 1; first && i < share && i < RT_RUNQ_SLOTS / 2; i++) {
        if (runq_len(&p->runq) >= RT_RUNQ_SLOTS / 2)
            break;
        struct g *g = global_get_locked();
        if (!g)
            break;
        bool put = runq_put(&p->runq, g);   /* there is room: only thieves touch the queue besides us */
        RT_CHECK(put);
    }
    unlock(&sched.lock);
    return first;
}

/* Puts g at the end of p's queue; a full queue gives half to the global one first. */
static void queue_put(struct p *p, struct g *g)
{
    while (!runq_put(&p->runq, g)) {
        struct g *half[RT_RUNQ_SLOTS / 2];
        unsigned n = runq_take_half(&p->runq, half);
        lock(&sched.lock);
        for (unsigned i = 0; i < n; i++)
            global_put_locked(half[i]);
        unlock(&sched.lock);
    }
}

bool sched_has_work(struct p *p)
{
    return !runq_is_empty(&p->runq) || atomic_load_explicit(&sched.global.n, memory_order_seq_cst) > 0 ||
           timers_first(&p->timers) <= atomic_load_explicit(&sched.now, memory_order_relaxed);
}

static bool any_queue_has_work(void)
{
    if (atomic_load_explicit(&sched.global.n, memory_order_seq_cst) > 0)
        return true;
    int n = atomic_load_explicit(&sched.nps, memory_order_acquire);
    for (int i = 0; i < n; i++)
        if (!runq_is_empty(&sched.ps[i]->runq))
            return true;
    return false;
}

int64_t sched_first_timer(void)
{
    int64_t first = TIMER_NEVER;
    int n = atomic_load_explicit(&sched.nps, memory_order_acquire);
    for (int i = 0; i < n; i++) {
        int64_t t = timers_first(&sched.ps[i]->timers);
        if (t < first)
            first = t;
    }
    return first;
}

/* ---- threads: start, wake ---- */

/* m leaves the idle list; if it watched timers and the netpoller, nobody does for now. */
static void keeper_leaves_locked(struct m *m)
{
    if (sched.timekeeper == m) {
        sched.timekeeper = NULL;
        sched.keeper_polls = false;
        atomic_store_explicit(&sched.keep_until, TIMER_NEVER, memory_order_seq_cst);
    }
}

void sched_start_m(struct p *p, bool spinning)
{
    lock(&sched.lock);
    struct m *m = sched.idle_ms;
    if (m) {
        sched.idle_ms = m->idle_next;
        sched.nidle_ms--;
        keeper_leaves_locked(m);
        m->p = p;
        m->spinning = spinning;
        p->m = m;
    }
    unlock(&sched.lock);
    wake_monitor();
    if (m) {
        note_wake(&m->note);
        return;
    }
    if (atomic_fetch_add_explicit(&sched.nworkers, 1, memory_order_relaxed) >= RT_THREADS_MAX)
        rt_fatal("runtime: program exceeds %d-thread limit", RT_THREADS_MAX);
    m = m_new(true);
    m->p = p;
    m->spinning = spinning;
    atomic_store_explicit(&m->in_rt, 1, memory_order_relaxed);   /* the thread may start late: the P is not the monitor's to take */
    lock(&sched.lock);
    p->m = m;
    unlock(&sched.lock);
    int err = os_thread_start(worker_main, m, RT_THREAD_STACK_BYTES);
    if (err < 0)
        rt_fatal("runtime: can't create a thread (error %d); raise the limit of processes or threads", -err);
}

void sched_handoff(struct p *p)
{
    sched_start_m(p, false);
}

/* Wakes one M to look for work, unless one is looking or no P is free. While we look for a P we count as spinning, and whoever submits work
 * in that time relies on it: so if there is no P we owe the second look that a spinning M owes ((A) in the essay). */
void sched_wake_p(void)
{
    for (;;) {
        int zero = 0;
        if (atomic_load_explicit(&sched.nspinning, memory_order_seq_cst) != 0 ||
            !atomic_compare_exchange_strong_explicit(&sched.nspinning, &zero, 1, memory_order_seq_cst, memory_order_relaxed))
            return;
        lock(&sched.lock);
        struct p *p = p_get_idle_locked(NULL);
        unlock(&sched.lock);
        if (p) {
            sched_start_m(p, true);
            return;
        }
        atomic_fetch_sub_explicit(&sched.nspinning, 1, memory_order_seq_cst);   /* (A) */
        if (atomic_load_explicit(&sched.nidle, memory_order_seq_cst) == 0 || !any_queue_has_work())
            return;
    }
}

/* m found work: it is no longer spinning. Step 3 of the essay, for an M that keeps its P. */
static void sched_after_spin(struct m *m)
{
    m->spinning = false;
    atomic_fetch_sub_explicit(&sched.nspinning, 1, memory_order_seq_cst);   /* (A) */
    if (atomic_load_explicit(&sched.nidle, memory_order_seq_cst) == 0)
        return;
    bool timers_unwatched = sched_first_timer() != TIMER_NEVER &&
                            atomic_load_explicit(&sched.keep_until, memory_order_seq_cst) == TIMER_NEVER;
    if (timers_unwatched || any_queue_has_work())
        sched_wake_p();
}

void sched_timer_start(struct m *m, struct timer *t, int64_t when)
{
    struct timers *ts = m->p ? &m->p->timers : &sched.ps[0]->timers;   /* P 0 never retires */
    if (timer_start(ts, t, when))
        sched_timer_watch(when);
}

void sched_timer_watch(int64_t when)
{
    if (when >= atomic_load_explicit(&sched.keep_until, memory_order_seq_cst))   /* (T) */
        return;
    lock(&sched.lock);
    struct m *keeper = sched.timekeeper;
    unlock(&sched.lock);
    if (keeper)
        note_wake(&keeper->note);   /* a wake too many only makes it look again */
    else if (atomic_load_explicit(&sched.nidle, memory_order_seq_cst) > 0)
        sched_wake_p();
}

/* ---- ready ---- */

static void make_thread_runnable(struct g *g)
{
    lock(&sched.lock);
    sched.nthreads_running++;
    unlock(&sched.lock);
    struct m *owner = g->m;
    g_set_state(g, GORT_STATUS_RUNNABLE, GORT_WAIT_NONE);
    note_wake(&owner->note);
}

static void make_runnable(struct m *m, struct g *g, bool next)
{
    if (g->flags & GORT_G_THREAD) {
        make_thread_runnable(g);
        return;
    }
    g_set_state(g, GORT_STATUS_RUNNABLE, GORT_WAIT_NONE);
    struct p *p = m ? m->p : NULL;
    if (!p) {
        sched_global_put(g);
        sched_wake_p();
        return;
    }
    if (next) {
        struct g *former = runq_set_next(&p->runq, g);   /* (B): a sequentially consistent exchange */
        if (former)
            queue_put(p, former);
    } else {
        queue_put(p, g);
        atomic_thread_fence(memory_order_seq_cst);   /* (B) */
    }
    if (atomic_load_explicit(&sched.nidle, memory_order_seq_cst) > 0 &&
        atomic_load_explicit(&sched.nspinning, memory_order_seq_cst) == 0)
        sched_wake_p();
}

void rt_ready(struct m *m, struct g *g)
{
    make_runnable(m, g, true);
}

/* ---- running and leaving goroutines ---- */

/* The scavenger is at g's stack: see scavenge.c. */
static rt_noinline void wait_for_scavenger(struct g *g)
{
    do {
        atomic_store_explicit(&g->ctx.on_cpu, 0, memory_order_seq_cst);
        while (atomic_load_explicit(&g->ctx.hold, memory_order_acquire))
            os_thread_yield();
        atomic_store_explicit(&g->ctx.on_cpu, 1, memory_order_seq_cst);
    } while (atomic_load_explicit(&g->ctx.hold, memory_order_seq_cst));
}

/* g, just dequeued, is about to be resumed by m. Until its former M has saved its registers it can't be. */
static void prepare(struct m *m, struct g *g)
{
    for (unsigned spins = 0; rt_unlikely(atomic_load_explicit(&g->ctx.on_cpu, memory_order_acquire)); spins++) {
        if (spins < 1000)
            ctx_pause();
        else
            os_thread_yield();   /* that M's thread was preempted in those few instructions */
    }
    atomic_store_explicit(&g->ctx.on_cpu, 1, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);   /* the scavenger's membarrier makes it a real one */
    if (rt_unlikely(atomic_load_explicit(&g->ctx.hold, memory_order_relaxed)))
        wait_for_scavenger(g);
    g->m = m;
    m->g = g;
    g_set_state(g, GORT_STATUS_RUNNING, GORT_WAIT_NONE);
    hook_switch(HOOK_RACE_G(g));
}

/* The P's next goroutine, if it is to be had without the long way: from its own queue, no timer due, nothing special. Each 61st
 * time the long way is taken, which looks at the global queue. `next` runs first, but after 64 times in a row the
 * queue gets its turn: two goroutines that wake each other would starve it. */
static struct g *pick_local(struct p *p)
{
    if (rt_unlikely(++p->tick % RT_GLOBAL_EVERY == 0 || atomic_load_explicit(&p->slow, memory_order_relaxed) ||
                    timers_first(&p->timers) <= atomic_load_explicit(&sched.now, memory_order_relaxed)))
        return NULL;
    struct g *g = runq_take_next(&p->runq);
    if (g) {
        if (rt_likely(++p->next_streak < 64))
            return g;
        struct g *first = runq_get(&p->runq);
        if (first) {
            queue_put(p, g);
            g = first;
        }
    } else {
        g = runq_get(&p->runq);
    }
    p->next_streak = 0;
    return g;
}

/* Leaves the current goroutine, whose state says why, and returns when it is resumed, perhaps on another M. errno is kept: it
 * belongs to the goroutine. */
static rt_noinline void switch_away(struct m *m)
{
    struct g *g = m->g;
    int saved_errno = *m->errno_addr;
    struct g *next = m->p ? pick_local(m->p) : NULL;
    struct ctx *to = &m->g0;
    uintptr_t lo = m->g0_lo, hi = m->g0_hi;
    if (next == g && next) {   /* a yield with nobody else in line */
        g_set_state(g, GORT_STATUS_RUNNING, GORT_WAIT_NONE);
        return;
    }
    if (next) {
        prepare(m, next);
        to = &next->ctx;
        lo = next->stack_lo;
        hi = next->stack_hi;
    } else {
        m->g = NULL;
        hook_switch(NULL);
    }
    asan_leave(&g->asan, lo, hi);
    ctx_switch(&g->ctx, to);   /* the one call by which goroutines leave: see context.h */
    asan_arrive(g->asan);
    *rt_m()->errno_addr = saved_errno;
}

static struct g *set_waiting(struct m *m, enum gort_wait_reason reason, const void *obj)
{
    struct g *g = m->g;
    g->wait_since = atomic_load_explicit(&sched.now, memory_order_relaxed);
    g->wait_obj = (uintptr_t)obj;
    g_set_state(g, GORT_STATUS_WAITING, reason);
    return g;
}

void rt_park(struct lock *l, enum gort_wait_reason reason, const void *obj)
{
    struct m *m = rt_m();
    set_waiting(m, reason, obj);
    if (l)
        unlock(l);
    switch_away(m);
}

void rt_park_with(void (*unlock_all)(void *arg), void *arg, enum gort_wait_reason reason)
{
    struct m *m = rt_m();
    set_waiting(m, reason, NULL);
    unlock_all(arg);
    switch_away(m);
}

bool rt_park_if(bool (*commit)(void *arg), void *arg, enum gort_wait_reason reason, const void *obj)
{
    struct m *m = rt_m();
    struct g *g = set_waiting(m, reason, obj);
    if (!commit(arg)) {
        g_set_state(g, GORT_STATUS_RUNNING, GORT_WAIT_NONE);
        return false;
    }
    switch_away(m);
    return true;
}

void rt_yield(void)
{
    struct m *m = rt_m();
    struct p *p = m->p;
    if (!p) {   /* a thread's goroutine shares its processor with the OS's threads only */
        os_thread_yield();
        return;
    }
    struct g *g = m->g;
    g_set_state(g, GORT_STATUS_RUNNABLE, GORT_WAIT_NONE);
    queue_put(p, g);
    switch_away(m);
}

void sched_get_in_line(struct m *m)
{
    struct g *g = m->g;
    int saved_errno = *m->errno_addr;
    /* From here on another M may dequeue g; it waits until the switch below has saved it. */
    g_set_state(g, GORT_STATUS_RUNNABLE, GORT_WAIT_NONE);
    sched_global_put(g);
    sched_wake_p();
    m->g = NULL;
    hook_switch(NULL);
    asan_leave(&g->asan, m->g0_lo, m->g0_hi);
    ctx_switch(&g->ctx, &m->g0);
    asan_arrive(g->asan);
    *rt_m()->errno_addr = saved_errno;
}

_Noreturn void rt_leave_for_ever(struct m *m)
{
    struct g *g = m->g;
    g_set_state(g, GORT_STATUS_FREE, GORT_WAIT_NONE);
    struct p *p = m->p;
    g_put(m, g);   /* only this M can take it, and not before it has left its stack */
    struct g *next = p ? pick_local(p) : NULL;
    if (next) {
        prepare(m, next);
        asan_leave(NULL, next->stack_lo, next->stack_hi);
        ctx_switch(&g->ctx, &next->ctx);
    } else {
        m->g = NULL;
        hook_switch(NULL);
        asan_leave(NULL, m->g0_lo, m->g0_hi);
        ctx_switch(&g->ctx, &m->g0);
    }
    rt_throw(__FILE_NAME__, __LINE__, "a finished goroutine was resumed");
}

#ifdef RT_DEBUG
bool sched_perturbs;

struct m *sched_perturb(struct m *m)
{
    uint32_t r = m_random(m) >> 7;
    if (r % 16 == 0)
        rt_yield();
    else if (r % 64 == 1)
        os_thread_yield();
    else if (r % 1024 == 2)
        os_nanosleep(30000);
    return rt_m();
}
#endif

/* ---- looking for work ---- */

/* One pass over the other Ps, from a random one on: their queues, then their timers; last their `next`, which they are likely to run
 * themselves in a moment. */
static struct g *steal_pass(struct m *m, struct p *p, bool take_next)
{
    int n = atomic_load_explicit(&sched.nps, memory_order_acquire);
    unsigned start = m_random(m) % (unsigned)n;
    for (int i = 0; i < n; i++) {
        struct p *victim = sched.ps[(start + (unsigned)i) % (unsigned)n];
        if (victim == p)
            continue;
        struct g *g = runq_steal(&p->runq, &victim->runq);
        if (!g && take_next)
            g = runq_take_next(&victim->runq);
        if (g)
            return g;
        if (timers_first(&victim->timers) != TIMER_NEVER && timers_run(&victim->timers, m, clock_read()) > 0) {
            g = runq_take_next(&p->runq);
            if (g || (g = runq_get(&p->runq)))
                return g;
        }
    }
    return NULL;
}

/* Spins for up to RT_SPIN_NS over the others' queues and the global one. */
static struct g *steal(struct m *m, struct p *p)
{
    int64_t until = os_now() + (os_ncpu() > 1 ? RT_SPIN_NS : 0);
    for (unsigned pass = 0;; pass++) {
        struct g *g = steal_pass(m, p, pass >= 3);
        if (g || (g = global_get(p)))
            return g;
        if (atomic_load_explicit(&p->slow, memory_order_relaxed))
            return NULL;
        if (pass >= 4 && pass % 8 == 0 && os_now() >= until)
            return NULL;
        for (int i = 0; i < 20; i++)
            ctx_pause();
    }
}

/* The maximum of Ps was lowered below p: its goroutines and timers move on, and p is nobody's. */
static void retire(struct m *m, struct p *p)
{
    struct g *g = runq_take_next(&p->runq);
    if (g)
        sched_global_put(g);
    while ((g = runq_get(&p->runq)))
        sched_global_put(g);
    timers_move(&sched.ps[0]->timers, &p->timers);
    lock(&sched.lock);
    p->m = NULL;
    p->status = P_RETIRED;
    m->p = NULL;
    unlock(&sched.lock);
    if (m->spinning) {
        m->spinning = false;
        atomic_fetch_sub_explicit(&sched.nspinning, 1, memory_order_seq_cst);
    }
    sched_wake_p();
}

/* The timekeeper's deadline: ns until the first of all timers, -1: none. See (T). */
static int64_t keep_timeout(void)
{
    int64_t first = sched_first_timer();
    for (;;) {
        atomic_store_explicit(&sched.keep_until, first, memory_order_seq_cst);
        int64_t again = sched_first_timer();
        if (again >= first)
            break;
        first = again;
    }
    if (first == TIMER_NEVER)
        return -1;
    int64_t left = first - clock_read();
    return left > 0 ? left : 0;
}

static void remove_idle_m_locked(struct m *m)
{
    struct m **link = &sched.idle_ms;
    while (*link != m)
        link = &(*link)->idle_next;
    *link = m->idle_next;
    sched.nidle_ms--;
    keeper_leaves_locked(m);
}

/* ---- the netpoller ---- */

static struct g *list_pop(struct gqueue *list)
{
    struct g *g = list->first;
    if (g) {
        list->first = g->next;
        g->next = NULL;
    }
    return g;
}

/* What the netpoller found becomes runnable: in the P's queue, or without one in the global queue. Wakes another M if there is much. */
static void inject(struct p *p, struct gqueue *list)
{
    int n = 0;
    for (struct g *g; (g = list_pop(list)); n++) {
        if (g->flags & GORT_G_THREAD) {
            make_thread_runnable(g);
            continue;
        }
        g_set_state(g, GORT_STATUS_RUNNABLE, GORT_WAIT_NONE);
        if (p)
            queue_put(p, g);
        else
            sched_global_put(g);
    }
    *list = (struct gqueue){0};
    if (n > 0 && !p)
        sched_wake_p();
    else if (n >= POLL_SHARE && atomic_load_explicit(&sched.nidle, memory_order_seq_cst) > 0)
        sched_wake_p();
}

/* Looks without waiting, unless an idle M waits there anyway. */
static void poll_now(struct p *p)
{
    if (atomic_load_explicit(&netpoll_waiters, memory_order_relaxed) == 0 || !netpoll_is_on())
        return;
    struct gqueue list = {0};
    netpoll(&list, 0);
    if (list.first)
        inject(p, &list);
}

void sched_poll_unwatched(void)
{
    lock(&sched.lock);
    bool watched = sched.keeper_polls;
    unlock(&sched.lock);
    if (!watched)
        poll_now(NULL);
}

void sched_poller_is_on(void)
{
    lock(&sched.lock);
    struct m *keeper = sched.timekeeper;
    unlock(&sched.lock);
    if (keeper)
        note_wake(&keeper->note);   /* it looks again, and waits in the poller from now on */
    else
        sched_wake_p();   /* there may be no M at all yet */
}

/* m has no P: sleeps until it is given one. */
static void stop_m(struct m *m)
{
    struct gqueue list = {0};
    g_flush(m);
    lock(&sched.lock);
    m->idle_next = sched.idle_ms;
    sched.idle_ms = m;
    sched.nidle_ms++;
    /* A keeper that went to sleep when every P was busy, or before there was a poller, doesn't poll: the next M takes over. */
    if (!sched.timekeeper || (!sched.keeper_polls && netpoll_is_on())) {
        sched.keeper_polls = false;
        sched.timekeeper = m;
    }
    sched_check_dead_locked();
    for (;;) {
        bool keeper = sched.timekeeper == m;
        /* With every P busy whoever schedules next looks at the poller himself. */
        bool poll = keeper && netpoll_is_on() && !sched.polling && atomic_load_explicit(&sched.nidle, memory_order_relaxed) > 0;
        if (keeper)
            sched.keeper_polls = poll;
        if (poll)
            sched.polling = true;
        unlock(&sched.lock);
        int64_t timeout = keeper ? keep_timeout() : -1;
        /* All Ps are busy and a timer is due: whoever schedules next on its P fires it; look again in a while. */
        if (timeout == 0 && atomic_load_explicit(&sched.nidle, memory_order_seq_cst) == 0)
            timeout = 1000000;
        if (poll && timeout != 0 && note_poll_begin(&m->note)) {
            netpoll(&list, timeout);
            note_poll_end(&m->note);
        } else if (!poll && timeout != 0) {
            note_sleep(&m->note, timeout);
        } else if (poll) {
            note_poll_end(&m->note);
        }
        lock(&sched.lock);
        if (poll) {
            sched.polling = false;
            /* Who has become the keeper while we were on the way out could not poll yet. */
            if (sched.timekeeper && sched.timekeeper != m && !sched.keeper_polls)
                note_wake(&sched.timekeeper->note);
        }
        if (m->p)
            break;
        if (list.first || (sched.timekeeper == m && sched_first_timer() <= clock_read())) {
            struct p *p = p_get_idle_locked(m);
            if (p) {
                remove_idle_m_locked(m);
                m->p = p;
                m->spinning = true;
                atomic_fetch_add_explicit(&sched.nspinning, 1, memory_order_seq_cst);
                break;
            }
        }
        if (list.first) {   /* every P is busy */
            unlock(&sched.lock);
            inject(NULL, &list);
            lock(&sched.lock);
            if (m->p)
                break;
        }
    }
    unlock(&sched.lock);
    wake_monitor();   /* our P may come from the idle list: we took it for a timer */
    if (list.first)
        inject(m->p, &list);
}

/* Gives m's P back and, after the last look that the essay asks for, sleeps until m has one again. */
static void idle(struct m *m)
{
    struct p *p = m->p;
    lock(&sched.lock);
    if (atomic_load_explicit(&sched.global.n, memory_order_relaxed) > 0 || atomic_load_explicit(&p->slow, memory_order_relaxed)) {
        unlock(&sched.lock);
        return;
    }
    m->p = NULL;
    p_put_idle_locked(p);
    unlock(&sched.lock);
    if (m->spinning) {
        m->spinning = false;
        atomic_fetch_sub_explicit(&sched.nspinning, 1, memory_order_seq_cst);   /* (A) 2 */
    }
    if (any_queue_has_work()) {   /* (A) 3 */
        lock(&sched.lock);
        p = p_get_idle_locked(m);
        m->p = p;
        unlock(&sched.lock);
        if (p) {
            m->spinning = true;
            atomic_fetch_add_explicit(&sched.nspinning, 1, memory_order_seq_cst);
            wake_monitor();
            return;
        }
    }
    stop_m(m);
}

static struct g *find_runnable(struct m *m)
{
    for (;;) {
        if (!m->p)
            stop_m(m);
        struct p *p = m->p;
        if (rt_unlikely(atomic_load_explicit(&p->slow, memory_order_relaxed))) {
            atomic_store_explicit(&p->slow, false, memory_order_relaxed);
            if ((int)p->id >= atomic_load_explicit(&sched.nprocs, memory_order_acquire)) {
                retire(m, p);
                continue;
            }
        }
        if (timers_first(&p->timers) != TIMER_NEVER)
            timers_run(&p->timers, m, clock_read());
        struct g *g = NULL;
        if (++p->tick % RT_GLOBAL_EVERY == 1)
            g = global_get(p);
        if (!g)
            g = runq_take_next(&p->runq);
        if (!g)
            g = runq_get(&p->runq);
        if (!g)
            g = global_get(p);
        if (!g) {
            poll_now(p);
            g = runq_get(&p->runq);
        }
        if (!g) {
            int busy = atomic_load_explicit(&sched.nprocs, memory_order_relaxed) - atomic_load_explicit(&sched.nidle, memory_order_relaxed);
            if (!m->spinning && 2 * atomic_load_explicit(&sched.nspinning, memory_order_relaxed) < busy) {
                m->spinning = true;
                atomic_fetch_add_explicit(&sched.nspinning, 1, memory_order_seq_cst);
            }
            if (m->spinning)
                g = steal(m, p);
        }
        if (g) {
            if (m->spinning)
                sched_after_spin(m);
            return g;
        }
        idle(m);
    }
}

static _Noreturn void worker_main(void *arg)
{
    struct m *m = arg;
    rt_set_m(m);
    m->tid = os_tid();
    m->errno_addr = __errno_location();
    os_thread_stack(&m->g0_lo, &m->g0_hi);
    signals_thread_start(m);
    os_sleep_exactly();
    os_take_signal_mask();   /* that of the thread that started the runtime: the monitor, which may have made this one, takes no signals */
    for (;;) {
        if (m->thread_g) {   /* go_lock_os_thread: it alone runs here */
            thread_wait_turn(m);
            continue;
        }
        struct g *g = find_runnable(m);
        prepare(m, g);
        asan_leave(&m->asan, g->stack_lo, g->stack_hi);
        ctx_switch(&m->g0, &g->ctx);
        asan_arrive(m->asan);
    }
}

/* ---- start, GOMAXPROCS, the end ---- */

/* sched.lock held. */
static void set_procs_locked(int n)
{
    int made = atomic_load_explicit(&sched.nps, memory_order_relaxed);
    for (; made < n; made++) {
        struct p *p = p_new((uint32_t)made);
        p->status = P_RETIRED;
        sched.ps[made] = p;
        atomic_store_explicit(&sched.nps, made + 1, memory_order_release);
    }
    atomic_store_explicit(&sched.nprocs, n, memory_order_release);
    struct p *keep = NULL, *p;
    while ((p = p_get_idle_locked(NULL))) {   /* idle ones that are too many retire here, the others at their next turn */
        if ((int)p->id >= n) {
            p->status = P_RETIRED;
            continue;
        }
        p->idle_next = keep;
        keep = p;
    }
    while ((p = keep)) {
        keep = p->idle_next;
        p_put_idle_locked(p);
    }
    for (int i = 0; i < made; i++) {
        if (i < n && sched.ps[i]->status == P_RETIRED)
            p_put_idle_locked(sched.ps[i]);
        else if (i >= n && sched.ps[i]->status == P_RUNNING)
            atomic_store_explicit(&sched.ps[i]->slow, true, memory_order_relaxed);
    }
}

int sched_set_procs(int n)
{
    lock(&sched.lock);
    int old = atomic_load_explicit(&sched.nprocs, memory_order_relaxed);
    if (n >= 1 && n != old)
        set_procs_locked(n < RT_PROCS_MAX ? n : RT_PROCS_MAX);
    unlock(&sched.lock);
    if (n >= 1 && n < old) {   /* timers of Ps that retired while idle */
        for (int i = n; i < old; i++)
            if (sched.ps[i]->status == P_RETIRED)
                timers_move(&sched.ps[0]->timers, &sched.ps[i]->timers);
    }
    if (n > old && any_queue_has_work())
        sched_wake_p();
    return old;
}

void sched_start(void)
{
    lock(&sched.lock);
    if (!atomic_load_explicit(&sched.started, memory_order_relaxed)) {
        hook_init();
        debug_init();
        os_membarrier();   /* registers the process */
        const char *env = getenv("GOMAXPROCS");
        int n = env ? atoi(env) : 0;
        n = n >= 1 ? n : os_ncpu();
        set_procs_locked(n < RT_PROCS_MAX ? n : RT_PROCS_MAX);
        clock_read();
#ifdef RT_DEBUG
        sched_perturbs = getenv("GORT_PERTURB") != NULL;
#endif
        asan_start();
        signals_start();
        os_keep_signal_mask();
        atomic_store_explicit(&sched.started, true, memory_order_release);
        unlock(&sched.lock);
        monitor_start();
        return;
    }
    unlock(&sched.lock);
}

void sched_check_dead_locked(void)
{
    RT_ASSERT(lock_is_held(&sched.lock));
    sched.recheck_dead = false;
    if (sched.nthreads_running > 0 || atomic_load_explicit(&netpoll_waiters, memory_order_seq_cst) > 0 ||
        atomic_load_explicit(&sched.nspinning, memory_order_seq_cst) > 0 || any_queue_has_work() ||
        sched_first_timer() != TIMER_NEVER || atomic_load_explicit(&g_count, memory_order_relaxed) == 0)
        return;
    int workers = atomic_load_explicit(&sched.nworkers, memory_order_relaxed);
    if (sched.nidle_ms != workers)   /* one runs a goroutine, with or without a P, or is about to */
        return;
    /* The monitor counts once it runs: counted earlier, it would stand for a thread that hasn't called us yet and may still wake somebody. */
    int known = workers + sched.nthread_ms + (__atomic_load_n(&sched.monitor_tid, __ATOMIC_ACQUIRE) != 0);
    int threads = os_thread_count();
    if (threads > known || threads < 0) {
        sched.recheck_dead = true;
        if (atomic_load_explicit(&sched.monitor_asleep, memory_order_seq_cst))
            note_wake(&sched.monitor_note);
        return;
    }
    unlock(&sched.lock);
    rt_fatal("all goroutines are asleep - deadlock!");
}
