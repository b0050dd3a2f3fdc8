/* Functions and state shared between the runtime's files, grouped by the file that defines them. */
#ifndef RT_INTERNAL_H
#define RT_INTERNAL_H

#include "types.h"

/* ---- stack.c ---- */

/* Takes a stack for a new goroutine: [*lo, *hi), guarded below. False: no memory. */
bool stack_alloc(uintptr_t *lo, uintptr_t *hi);
/* One of a size of its own, and its end. */
bool stack_alloc_sized(size_t bytes, uintptr_t *lo, uintptr_t *hi, uint32_t *id);
void stack_free_sized(uintptr_t lo, uintptr_t hi, uint32_t id);
/* A goroutine's first frame and its arguments are going to take [from, hi): Valgrind is told, to which what lies below the stack pointer of the one that
 * ended there is nobody's. */
void stack_is_used(uintptr_t from, uintptr_t hi);
/* Gets some stacks ready (50 us) if goroutines are started by the thousand: for an M without work. False: there is no need. */
bool stack_make_some(void);
/* How many threads this file has made. */
int stack_maker_threads(void);

/* ---- g.c ---- */

/* A free G with a stack, from m's cache or the shared list, or new; NULL: no memory. */
struct g *g_get(struct m *m);
/* Gives a finished G back to m's cache. It may still be running on its own stack: it is not given to another M before
 * m has left it. */
void g_put(struct m *m, struct g *g);
/* Gives m's whole cache to the shared list. */
void g_flush(struct m *m);
/* A G without a stack, for a thread's goroutine; and back. */
struct g *g_get_bare(void);
void g_put_bare(struct g *g);
/* For who ends the current goroutine: runs and drops what it has left (deferred calls, panics, labels). Returns the M it is on then; not at all for main's
 * and for a thread's goroutine, which end otherwise. */
struct m *g_wind_up(struct m *m);
/* Starts fn(arg[0], arg[1], arg[2]) as a goroutine on behalf of somebody: who is to be named as its creator, and where; what `parent`, the detector's side of
 * the current goroutine or of one that stays parked meanwhile, knows happens before it; the labels that it shares, or NULL. */
struct g_spawn {
    uintptr_t fn, arg[3];
    uint64_t parent_id;
    uintptr_t create_pc;
    struct race_g *parent;
    struct labels *labels;
};
void g_spawn(struct m *m, const struct g_spawn *s);
/* Finished goroutines beyond those kept warm, and not used again for age_ns, give their stacks' memory back, some at each call. Whether
 * there are more. The monitor's. */
bool g_scavenge_finished(int64_t now, int64_t age_ns);
/* A fresh goroutine number. */
uint64_t g_new_id(struct m *m);
/* Calls visit for each slot ever used until it returns false. */
void g_each(bool (*visit)(struct g *g, void *arg), void *arg);
/* How many goroutines are alive: each M counts those that it started less those that ended on it; exact when nobody starts or ends one. */
int g_count(void);
static inline void g_count_add(struct m *m, int n)
{
    atomic_store_explicit(&m->ngs, atomic_load_explicit(&m->ngs, memory_order_relaxed) + n, memory_order_relaxed);
}

/* ---- sched.c ---- */

struct sched {
    struct lock lock;                 /* rank SCHED; guards (s) */
    struct gqueue global;             /* (s) runnable, no P's in particular */
    struct p *idle_ps;                /* (s) */
    atomic_int nidle;                 /* (s) written; read as a hint, see sched.c */
    struct m *idle_ms;                /* (s) workers without a P, asleep */
    int nidle_ms;                     /* (s) */
    atomic_int nspinning;             /* Ms that look for work, or are being woken to */
    atomic_int nprocs;                /* (s) written: Ps that may be used */
    atomic_int nps;                   /* Ps ever made: ps[0..nps) */
    struct p *ps[RT_PROCS_MAX];       /* (i) once below nps */
    _Atomic(struct m *) ms;           /* all Ms, newest first, never freed */
    atomic_int nworkers;              /* worker Ms */
    struct m *free_ms;                /* (s) thread Ms whose thread has ended */
    int nthread_ms;                   /* (s) live thread Ms */
    int nthreads_running;             /* (s) thread goroutines that are not parked */
    struct m *timekeeper;             /* (s) the idle M that sleeps until the first timer, or in the netpoller */
    bool keeper_polls;                /* (s) in the netpoller */
    bool polling;                     /* (s) an M waits in the netpoller, or is on its way out of it */
    _Atomic(int64_t) keep_until;      /* when it will wake; see (T) in sched.c */
    _Atomic(int64_t) now;             /* a cached clock, at most about 10 ms behind while goroutines run */
    struct note monitor_note;
    uint32_t monitor_tid;             /* (i) once the monitor runs */
    atomic_bool monitor_asleep;
    bool recheck_dead;                /* (s) all asleep but for threads unknown to us: the monitor looks again */
    atomic_bool started;
    atomic_bool is_shared;            /* P 0's queue, for good: procs.c, share_queue */
    atomic_bool main_ended;           /* main's goroutine, by go_exit: it is not counted any more. Relaxed: it goes to sleep under the lock afterwards */
};
extern struct sched sched;

/* Starts the runtime if it has not been started. Any thread. */
void sched_start(void);

/* ---- forked.c ---- */

extern bool sched_forked;
void forked_start(void);
_Noreturn void forked_end(void);
/* Where others would be needed: ends the child of a fork, which has none. */
static inline void forked_check(void)
{
    if (rt_unlikely(sched_forked))
        forked_end();
}

/* Parks the current goroutine, which the caller has put where a waker will find it, and unlocks l (may be NULL) once it is
 * visibly parked. Returns when rt_ready() was called for it, perhaps on another M: read rt_m() again. The one way to block. */
void rt_park(struct lock *l, enum gort_wait_reason reason, const void *obj);
/* As rt_park, for select: unlocks by calling unlock_all(arg). */
void rt_park_with(void (*unlock_all)(void *arg), void *arg, enum gort_wait_reason reason);
/* Parks unless commit(arg), called when the goroutine is visibly parked, says no, and nobody may have readied it. Whether it parked. */
bool rt_park_if(bool (*commit)(void *arg), void *arg, enum gort_wait_reason reason, const void *obj);
/* Makes a parked goroutine runnable, once for each park, or one just made. m: the calling thread's M (NULL: none). The one way to wake.
 * Not under a lock of rank SCHED or above. */
void rt_ready(struct m *m, struct g *g);
/* The same of a chain linked by g->next, in its order; `ahead` is looked at, too. */
void rt_ready_all(struct m *m, struct g *first);
/* Puts the current goroutine last in line and runs others. */
void rt_yield(void);
/* The current goroutine, whose worker m has no P, gets in line for one; returns when it runs again, on another M perhaps. */
void sched_get_in_line(struct m *m);
/* Ends an operation that began with rt_enter() on whatever M the goroutine is now. */
static inline void rt_leave(void)
{
    atomic_store_explicit(&rt_m()->in_rt, 0, memory_order_release);
}
/* Arms t on the current P's heap (a thread's goroutine: on some P's), and sees to it that somebody will fire it. */
void sched_timer_start(struct m *m, struct timer *t, int64_t when);
/* Worker main; the monitor hands a P over with it too. sched.lock not held. */
void sched_start_m(struct p *p, bool spinning);
void sched_wake_p(void);
int sched_set_procs(int n);
/* sched.lock held: puts p, whose M has lost it, to use: another M, or the idle list. Returns the M to wake, if any. */
void sched_handoff(struct p *p);
void sched_global_put(struct g *g);
bool sched_has_work(struct p *p);
/* Ends the program if no goroutine can ever run again. sched.lock held; released and taken again. */
void sched_check_dead_locked(void);
int64_t sched_first_timer(void);
/* The netpoller has been started: from now on an idle M waits in it. */
void sched_poller_is_on(void);
/* Looks at the netpoller, if nobody waits in it, and makes what is ready runnable. The monitor's. */
void sched_poll_unwatched(void);

/* ---- thread.c ---- */

/* The calling thread's M, made now if it is its first call of the API. */
struct m *thread_attach(void);
struct m *m_new(bool is_worker);
/* On m's own stack: waits until the goroutine that is bound to m may run, and runs it until it waits again. */
void thread_wait_turn(struct m *m);
/* Ends the current goroutine's binding to worker m, and gets in line for a P. */
void thread_unwire(struct m *m);

/* ---- monitor.c ---- */

void monitor_start(void);
/* The current M lost its P to the monitor: gets in line for another one. Returns the M it goes on with. */
struct m *monitor_regain(struct m *m);

/* Debug builds, GORT_PERTURB set in the environment: every entry is a point where the goroutine may lose its turn, at random. */
extern bool sched_perturbs;
struct m *sched_perturb(struct m *m);

/* Every operation that may park or wake begins with it. See monitor.c for the protocol. */
static inline struct m *rt_enter(void)
{
    struct m *m = rt_m();
    if (rt_unlikely(m == NULL))
        m = thread_attach();
    atomic_store_explicit(&m->in_rt, 1, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);   /* the monitor's membarrier makes it a real one */
    if (rt_unlikely(atomic_load_explicit(&m->p_lost, memory_order_relaxed)))
        m = monitor_regain(m);
#ifdef RT_DEBUG
    if (rt_unlikely(sched_perturbs))
        m = sched_perturb(m);
#endif
    return m;
}

/* The current goroutine; attaches the thread. */
static inline struct g *rt_g(void)
{
    struct m *m = rt_m();
    return rt_likely(m != NULL) ? m->g : thread_attach()->g;
}
/* The detector's side of the current goroutine; costs nothing in a plain build. */
#define rt_race() HOOK_RACE_G(rt_g())

/* ---- time.c ---- */

/* The instant ns from now (ns < 0: now), never as late as TIMER_NEVER. */
int64_t time_after(int64_t ns);

/* ---- mutex.c ---- */

/* go_mutex_lock for a call of the program at pc. */
struct go_mutex;
void rt_mutex_lock_at(struct go_mutex *m, const void *pc);

/* ---- sema.c ---- */

/* Waiting by address, for objects too small for a queue of their own. */
enum sema_result { SEMA_NOT_PARKED, SEMA_WOKEN, SEMA_HANDED };
/* Added to a mutex's address: its waiters are not mistaken for those of another object that has come to lie there, when an unlock wakes late. */
#define SEMA_MUTEX ((uintptr_t)1)
/* Parks the current goroutine in the queue of addr, as its first if `first`, else as its last; unless `still(addr)`, called under the
 * queue's lock, says no. HANDED: what the waker's `locked` returned. */
enum sema_result sema_wait(const void *addr, bool (*still)(const void *addr), bool first, enum gort_wait_reason reason);
/* Wakes up to n waiters of addr, first come first served. `locked(addr, woken, more)` (may be NULL) is called under the queue's
 * lock when they have been taken out; it says whether they are HANDED what they wait for. Without it addr is not looked at. */
int sema_wake(const void *addr, int n, bool (*locked)(void *addr, int woken, bool more));

/* Holding sema_lock_bucket(bucket): whether somebody waits there for a mutex. */
bool sema_has_mutex_waiters(unsigned bucket);

/* Waiting in a waitq that lies in the object at addr. Its lock lies elsewhere, so the last to unlock it does not touch the object. */
struct lock *sema_lock(const void *addr);
struct lock *sema_lock_bucket(unsigned bucket);   /* of all objects of one gort_mutex_bucket */
/* Holding l = sema_lock(addr), with the current goroutine's waiter in q: parks until somebody has taken it out and readied the goroutine,
 * or until `deadline` (TIMER_NEVER: none), when it is taken out as well. Unlocks l. Whether the former: w->success. */
bool sema_park(struct lock *l, const void *addr, struct waitq *q, int64_t deadline, enum gort_wait_reason reason);
/* os_now() + ns, or the last instant there is. */
int64_t sema_deadline(int64_t ns);
/* Under sema_lock(addr): the current goroutine's waiter, ready to be queued. */
struct waiter *sema_waiter(const void *addr, void *value);

/* ---- waitgroup.c ---- */

/* go_waitgroup_add and _wait, which the program called at pc. */
struct go_waitgroup;
void waitgroup_add(struct go_waitgroup *wg, int n, const void *pc);
void waitgroup_wait(struct go_waitgroup *wg, const void *pc);

/* ---- fatal.c ---- */

/* "fatal error: MSG", every goroutine's stack, status 2. */
_Noreturn void rt_fatal(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* "panic: MSG", the current goroutine's stack, status 2. */
_Noreturn void rt_panic(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Sees to it that the end of main waits for a panic. */
void fatal_start(void);
/* Whether this thread is at work on a report, which a signal that it gets ends. From signal handlers. */
bool fatal_reports_on(uint32_t tid);

/* ---- debug.c ---- */

extern struct gort_debug gort_debug;
extern atomic_uint g_nslabs;
extern uint64_t g_slabs[RT_SLABS_MAX];   /* addresses of struct slab */
void debug_init(void);

struct slab {
    _Atomic(uint64_t) state[RT_SLAB_GS];
    struct g g[RT_SLAB_GS];
};

/* ---- wait queues ---- */

/* `first` is also looked at without the lock, as a hint (select.c). */
static inline void waitq_set_first(struct waitq *q, struct waiter *w)
{
    __atomic_store_n(&q->first, w, __ATOMIC_RELAXED);
}

static inline void waitq_push(struct waitq *q, struct waiter *w)
{
    RT_ASSERT(!w->queued);
    w->queued = true;
    w->next = NULL;
    w->prev = q->last;
    if (q->last)
        q->last->next = w;
    else
        waitq_set_first(q, w);
    q->last = w;
}

static inline void waitq_push_first(struct waitq *q, struct waiter *w)
{
    RT_ASSERT(!w->queued);
    w->queued = true;
    w->prev = NULL;
    w->next = q->first;
    if (q->first)
        q->first->prev = w;
    else
        q->last = w;
    q->first = w;
}

static inline void waitq_remove(struct waitq *q, struct waiter *w)
{
    if (!w->queued)
        return;
    w->queued = false;
    if (w->prev)
        w->prev->next = w->next;
    else
        waitq_set_first(q, w->next);
    if (w->next)
        w->next->prev = w->prev;
    else
        q->last = w->prev;
}

/* The first waiter that is still to be had, taken out of the queue. A select waits in several queues, and the first to set its
 * select_done has it; the others pass it over. */
static inline struct waiter *waitq_pop(struct waitq *q)
{
    struct waiter *w;
    while ((w = q->first)) {
        waitq_remove(q, w);
        if (!w->in_select)
            return w;
        unsigned zero = 0;
        if (atomic_compare_exchange_strong_explicit(&w->g->select_done, &zero, 1, memory_order_acq_rel, memory_order_relaxed))
            return w;
    }
    return NULL;
}

/* Copies an element without the program's memcpy, which may be intercepted. */
static inline void rt_copy(void *to, const void *from, size_t n)
{
    switch (n) {
    case 0: return;
    case 1: __builtin_memcpy(to, from, 1); return;
    case 2: __builtin_memcpy(to, from, 2); return;
    case 4: __builtin_memcpy(to, from, 4); return;
    case 8: __builtin_memcpy(to, from, 8); return;
    case 16: __builtin_memcpy(to, from, 16); return;
    default: {
        char *t = to;
        const char *f = from;
        for (; n >= 8; n -= 8, t += 8, f += 8)
            __builtin_memcpy(t, f, 8);
        for (; n > 0; n--)
            *t++ = *f++;
        __asm__ volatile("" : : : "memory");
        return;
    }
    }
}

static inline void rt_zero(void *p, size_t n)
{
    volatile char *t = p;   /* volatile: the loop must not become a call of memset */
    while (n-- > 0)
        *t++ = 0;
}

static inline uint32_t m_random(struct m *m)
{
    uint32_t x = m->rng;   /* xorshift32 */
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return m->rng = x;
}

#endif
