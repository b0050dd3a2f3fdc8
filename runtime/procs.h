/* What the scheduler's files (sched.c, procs.c, findwork.c) share among themselves; everybody else uses internal.h. */
#ifndef RT_PROCS_H
#define RT_PROCS_H

#include "internal.h"
#include "os.h"

/* The clock, read now; keeps it as the cached one. */
static inline int64_t sched_clock(void)
{
    int64_t now = os_now();
    atomic_store_explicit(&sched.now, now, memory_order_relaxed);   /* a hint */
    return now;
}

/* ---- procs.c ---- */

/* The idle Ps; sched.lock held. m: who takes it, NULL: not known yet. */
void sched_put_idle_locked(struct p *p);
struct p *sched_get_idle_locked(struct m *m);
/* Whoever has taken a P from the idle list calls this: the monitor sleeps without end while all Ps are idle. It stores monitor_asleep, then
 * reads the Ps' status; we stored the status, then read monitor_asleep: one of us sees the other. */
static inline void sched_wake_monitor(void)
{
    if (atomic_load_explicit(&sched.monitor_asleep, memory_order_seq_cst))
        note_wake(&sched.monitor_note);
}

/* Takes one goroutine to run from the global queue, and a fair share more into p's. */
struct g *sched_global_get(struct p *p);
/* Whether a goroutine is in any queue. */
bool sched_any_queue_has_work(void);
/* m leaves the idle list; if it watched timers and the netpoller, nobody does for now. */
void sched_keeper_leaves_locked(struct m *m);
void sched_overflow(struct p *p);

/* Puts g at the end of p's queue; a full queue gives half to the global one first. */
static inline void sched_queue_put(struct p *p, struct g *g)
{
    while (rt_unlikely(!runq_put(&p->runq, g)))
        sched_overflow(p);
}

/* Its owner is about to pick a goroutine: the how manieth. Before he asks whether he is alone with his queue (procs.c: share_queue). */
static inline uint32_t sched_tick(struct p *p)
{
    uint32_t tick = p->tick + 1;
    __atomic_store_n(&p->tick, tick, __ATOMIC_RELAXED);
    atomic_signal_fence(memory_order_seq_cst);
    return tick;
}

/* Has the goroutines that p will run after this one on their way to the cache: in a crowd each has been out of it since it parked, with its stack's
 * page out of the TLB. First its struct; then what it has on its stack (its last frames) and the detector's struct; then what that refers to. head: the first
 * that is still in the ring. */
static inline void sched_prefetch(struct p *p, unsigned head)
{
    enum { FAR = 5, NEAR = 3, NEXT = 1, FRAMES = 512 };
    struct g *far = atomic_load_explicit(&p->runq.slot[(head + FAR) % RT_RUNQ_SLOTS], memory_order_relaxed);
    struct g *near = atomic_load_explicit(&p->runq.slot[(head + NEAR) % RT_RUNQ_SLOTS], memory_order_relaxed);
    struct g *next = atomic_load_explicit(&p->runq.slot[(head + NEXT) % RT_RUNQ_SLOTS], memory_order_relaxed);
    for (unsigned at = 0; at < sizeof *far; at += RT_CACHE_LINE)
        __builtin_prefetch((const char *)far + at);
    const char *sp = (const char *)__atomic_load_n(&near->ctx.sp, __ATOMIC_RELAXED);   /* a slot is never unmapped; a stale sp does no harm */
    __builtin_prefetch(near->state);
    for (unsigned at = 0; at < FRAMES; at += RT_CACHE_LINE)
        __builtin_prefetch(sp + at);
    HOOK_PREFETCH(near);
    HOOK_PREFETCH_MORE(next);
}

/* ---- sched.c ---- */

/* A thread's goroutine may go on: wakes its thread. */
void sched_ready_thread(struct g *g);
/* The scavenger is at g's stack (scavenge.c): waits until it has left. */
void sched_wait_for_scavenger(struct g *g);

/* g, just dequeued, is about to be resumed by m. Until its former M has saved its registers it can't be: waits for that, so the caller must be nobody that
 * others wait for in the same way (sched.c: switch_to). */
static inline void sched_prepare_saved(struct m *m, struct g *g);
static inline void sched_prepare(struct m *m, struct g *g)
{
    for (unsigned spins = 0; rt_unlikely(atomic_load_explicit(&g->ctx.on_cpu, memory_order_acquire)); spins++) {
        if (spins < 1000)
            ctx_pause();
        else
            os_thread_yield();   /* that M's thread was preempted in those few instructions */
    }
    sched_prepare_saved(m, g);
}

/* The same for one whose on_cpu was seen to be 0 (acquire). */
static inline void sched_prepare_saved(struct m *m, struct g *g)
{
    atomic_store_explicit(&g->ctx.on_cpu, 1, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);   /* the scavenger's membarrier makes it a real one */
    if (rt_unlikely(atomic_load_explicit(&g->ctx.hold, memory_order_relaxed)))
        sched_wait_for_scavenger(g);
    g->m = m;
    m->g = g;
    g_move_state(g, GORT_STATUS_RUNNABLE, GORT_STATUS_RUNNING);
    hook_switch(HOOK_RACE_G(g));
}

/* ---- findwork.c ---- */

/* The main function of a worker's thread; arg: its M. */
_Noreturn void sched_worker_main(void *arg);

#endif
