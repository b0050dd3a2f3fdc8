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

/* ---- sched.c ---- */

/* A thread's goroutine may go on: wakes its thread. */
void sched_ready_thread(struct g *g);
/* g, just dequeued, is about to be resumed by m. */
void sched_prepare(struct m *m, struct g *g);

/* ---- findwork.c ---- */

/* The main function of a worker's thread; arg: its M. */
_Noreturn void sched_worker_main(void *arg);

#endif
