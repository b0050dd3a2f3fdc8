/* The scheduler: which goroutine runs where, and when a thread is woken or put to sleep. Here is the way of a goroutine: readied, run, parked. Ps, the
 * global queue and the start of threads are in procs.c, an M's search for work and its sleep in findwork.c.
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
 * a P is idle and nobody looks. (An M that stops spinning because it found work runs step 3 too: sched_after_spin.) Who has the only P there is needs no (B):
 * no P is idle, nor does an M look that has none.
 *
 * An M whose spinning found nothing, while other Ps are busy, naps and looks again a number of times before it gives up (findwork.c: nap), and counts as
 * spinning meanwhile. So two goroutines that ready each other in turn, for which a second P can do nothing, don't wake an M again and again; and work for
 * two Ps waits for RT_NAP_NS at most.
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
#include "procs.h"

#include <gort/goroutine.h>

#include "asan.h"
#include "cxx.h"
#include "os.h"

/* ---- ready ---- */

void sched_ready_thread(struct g *g)
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
        sched_ready_thread(g);
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
            sched_queue_put(p, former);
    } else {
        sched_queue_put(p, g);
        if (!runq_is_alone(&p->runq))
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

void rt_ready_all(struct m *m, struct g *first)
{
    while (first) {
        struct g *g = first;
        first = g->next;
        g_fetch(g->ahead);
        rt_ready(m, g);
    }
}

/* ---- running and leaving goroutines ---- */

rt_noinline void sched_wait_for_scavenger(struct g *g)
{
    do {
        atomic_store_explicit(&g->ctx.on_cpu, 0, memory_order_seq_cst);
        while (atomic_load_explicit(&g->ctx.hold, memory_order_acquire))
            os_thread_yield();
        atomic_store_explicit(&g->ctx.on_cpu, 1, memory_order_seq_cst);
    } while (atomic_load_explicit(&g->ctx.hold, memory_order_seq_cst));
}

/* The P's next goroutine, if it is to be had without the long way: from its own queue. Timers that are due fire first (among them, perhaps, that of the
 * goroutine that is just leaving). Each 64th time the long way is taken if the global queue has something. `next` runs first, but after 64 times in a row
 * the queue gets its turn: two goroutines that wake each other would starve it. */
static inline __attribute__((always_inline)) struct g *pick_local(struct m *m, struct p *p)
{
    if (rt_unlikely(atomic_load_explicit(&p->slow, memory_order_relaxed)))
        return NULL;
    if (rt_unlikely(sched_tick(p) % RT_GLOBAL_EVERY == 0) && atomic_load_explicit(&sched.global.n, memory_order_relaxed) > 0)
        return NULL;
    if (rt_unlikely(timers_first(&p->timers) != TIMER_NEVER))
        timers_run(&p->timers, m, os_now());
    struct g *g = runq_take_next(&p->runq);
    if (g) {
        if (rt_likely(++p->next_streak < 64))
            return g;
        struct g *first = runq_get(&p->runq);
        if (first) {
            sched_queue_put(p, g);
            g = first;
        }
    } else {
        unsigned at, n;
        g = runq_get_at(&p->runq, &at, &n);
        if (rt_unlikely(n > 8))
            sched_prefetch(p, at + 1);
    }
    p->next_streak = 0;
    return g;
}

/* Leaves the current goroutine, whose state says why, for `next` (NULL: for the scheduler, which looks further), and returns when it is resumed, perhaps on
 * another M. errno and caught exceptions are kept: they belong to the goroutine. */
static rt_noinline void switch_to(struct m *m, struct g *next)
{
    struct g *g = m->g;
    int saved_errno = *m->errno_addr;
    struct cxx_eh exceptions;
    struct ctx *to = &m->g0;
    uintptr_t lo = m->g0_lo, hi = m->g0_hi;
    if (next == g && next) {   /* parked, and readied by a timer that was due */
        g_set_state(g, GORT_STATUS_RUNNING, GORT_WAIT_NONE);
        return;
    }
    /* We are visible, and may be waited for. So we must not wait long for `next`, which may run its own last instructions on an M that waits for us (both
     * were readied by timers, in pick_local, after they had parked): then the scheduler's context does, and we are saved. */
    for (unsigned spins = 0; next && rt_unlikely(atomic_load_explicit(&next->ctx.on_cpu, memory_order_acquire)); spins++) {
        ctx_pause();
        if (spins == 100) {
            struct g *former = runq_set_next(&m->p->runq, next);
            if (former)
                sched_queue_put(m->p, former);
            next = NULL;
        }
    }
    if (next) {
        sched_prepare_saved(m, next);
        to = &next->ctx;
        lo = next->stack_lo;
        hi = next->stack_hi;
    } else {
        m->g = NULL;
        hook_switch(NULL);
    }
    exceptions = cxx_leave(m);
    asan_leave(&g->asan, lo, hi);
    ctx_switch(&g->ctx, to);   /* the one call by which goroutines leave: see context.h */
    asan_arrive(g->asan);
    m = rt_m();
    *m->errno_addr = saved_errno;
    cxx_arrive(m, exceptions);
}

static inline void switch_away(struct m *m)
{
    switch_to(m, m->p ? pick_local(m, m->p) : NULL);
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
    /* The next one first, then ourselves into the queue: that makes room, and the atomic operation of taking waits for fewer stores. */
    struct g *next = pick_local(m, p);
    if (!next && !atomic_load_explicit(&p->slow, memory_order_relaxed)) {
        next = sched_global_get(p);
        if (!next)
            return;   /* nobody else is in line */
    }
    struct g *g = m->g;
    g_move_state(g, GORT_STATUS_RUNNING, GORT_STATUS_RUNNABLE);
    sched_queue_put(p, g);
    switch_to(m, next);
}

void go_yield(void)
{
    rt_enter();
    rt_yield();
    rt_leave();
}

void sched_get_in_line(struct m *m)
{
    struct g *g = m->g;
    int saved_errno = *m->errno_addr;
    struct cxx_eh exceptions = cxx_leave(m);
    /* From here on another M may dequeue g; it waits until the switch below has saved it. */
    g_set_state(g, GORT_STATUS_RUNNABLE, GORT_WAIT_NONE);
    sched_global_put(g);
    sched_wake_p();
    m->g = NULL;
    hook_switch(NULL);
    asan_leave(&g->asan, m->g0_lo, m->g0_hi);
    ctx_switch(&g->ctx, &m->g0);
    asan_arrive(g->asan);
    m = rt_m();
    *m->errno_addr = saved_errno;
    cxx_arrive(m, exceptions);
}

/* Not declared as what never returns: compilers make that small rather than fast. */
void gort_g_return(void)
{
    enum { ENDS_OTHERWISE = GORT_G_WIRED | GORT_G_MAIN | GORT_G_THREAD };
    struct m *m = rt_enter();
    struct g *g = m->g;
    if (rt_unlikely(g->deferred || g->panics || g->pending || g->labels || g->flags & ENDS_OTHERWISE))
        m = g_wind_up(m);
    hook_end(HOOK_RACE_G(g));
    g_count_add(m, -1);
    cxx_leave(m);   /* go_exit() in a catch block */
    g_set_state(g, GORT_STATUS_FREE, GORT_WAIT_NONE);
    struct g *next = m->p ? pick_local(m, m->p) : NULL;   /* before the next line: a timer's function may take a free goroutine */
    g_put(m, g);   /* only this M can take it, and not before it has left its stack */
    if (next) {
        sched_prepare(m, next);
        asan_leave(NULL, next->stack_lo, next->stack_hi);
        ctx_leave(&g->ctx, &next->ctx);
    }
    m->g = NULL;
    hook_switch(NULL);
    asan_leave(NULL, m->g0_lo, m->g0_hi);
    ctx_leave(&g->ctx, &m->g0);
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
