/* Cast of characters.
 *
 * G   a goroutine: a stack, a saved context, a state word. Allocated from slabs, never unmapped, reused.
 * M   an OS thread that runs goroutines. A worker M was made by the runtime and runs Gs while it holds a P; a thread M
 *     belongs to the program (main's included) and runs one G, its own, without a P: its G parks by sleeping.
 * P   the right to run goroutines, GOMAXPROCS of them, with a run queue and a timer heap.
 * waiter   one G's place in one wait queue.
 *
 * Locking key: (i) set once before others see it; (o) the owner only: of a G the M that runs it or whoever is about to make it
 * runnable, of an M its thread, of a P the M that holds it; (s) sched.lock; (a) atomic, see the comment; (w) the lock of the queue
 * that the waiter is in. */
#ifndef RT_TYPES_H
#define RT_TYPES_H

#include <gort/debug.h>

#include "base.h"
#include "config.h"
#include "context.h"
#include "hooks.h"
#include "lock.h"
#include "note.h"
#include "runq.h"
#include "timer.h"
#include "traceback/unwind.h"

struct g;
struct gort_chan;
struct gort_deferred;
struct labels;

struct waiter {
    struct waiter *next;          /* (w) */
    union {
        struct waiter *prev;      /* (w) in a waitq */
        struct waiter *next_key;  /* (w) in sema.c, of the first with its key: the first with another key */
    };
    struct g *g;                  /* (i) */
    union {
        void *value;              /* (w) element to send, or where to receive, may be NULL; how many permits of a semaphore */
        struct waiter *last;      /* (w) in sema.c, of the first with its key: the last one */
    };
    const void *key;              /* (w) what it waits on: channel, or address of a sync object */
    uint32_t index;               /* (i) position of the case in a select */
    bool in_select;               /* (i) whoever dequeues it must win g->select_done first */
    bool success;                 /* (w) then (o): an element was passed, or what was waited for was handed over; false: closed, or in vain */
    bool queued;                  /* (w) */
    bool parked;                  /* (w) of a cond: the goroutine sleeps already, and its waker must ready it */
};

/* May lie in a public struct as two pointers (gort/sync.h), where it is all zero at first. */
struct waitq {
    struct waiter *first, *last;
} __attribute__((may_alias));

struct g {
    struct ctx ctx;                  /* first: context.h */
    struct g *pending;               /* (o) go() statements begun whose arguments are being evaluated, innermost first; second: context.h */
    _Atomic(uint64_t) *state;        /* (i) its word in the slab; one writer at a time, the owner */
    struct g *next;                  /* link of the one queue or free list it is in */
    struct g *ahead;                 /* (with next) a hint: what comes some places later there, to be fetched meanwhile. Any slot, or NULL */
    struct m *m;                     /* (o) while it runs; (i) for a thread's */
    uint64_t id, parent_id;          /* (o) */
    uint32_t flags;                  /* (i) GORT_G_* */
    atomic_uint select_done;         /* (a) 0: a select is waiting; 1: somebody has won it. acq_rel */
    uintptr_t stack_lo, stack_hi;    /* (i) */
    uintptr_t fn, create_pc;         /* (o) */
    int64_t wait_since;              /* (o) by the cached clock */
    uintptr_t wait_obj;              /* (o) */
    struct waiter *woken_by;         /* (o) select: the case that went ahead */
    size_t stack_arg_bytes;          /* (o) of a pending one */
    size_t next_stack_bytes;         /* (o) go_with_stack: of the next go() */
    struct gort_deferred *deferred;  /* (o) last first */
    struct panic *panics;            /* (o) at work, innermost first: fatal.c */
    struct labels *labels;           /* (o) and readable by tools: label.c */
    uint64_t scavenged;              /* (the monitor's) sequence of the state in which it was scavenged last */
    uint32_t stack_id;               /* (o) of a stack to size: Valgrind's number for it */
    uint32_t thread_locks;           /* (o) go_lock_os_thread, nested */
    void *asan;                      /* (o) asan.h, while it is not running */
    struct waiter waiter;            /* the one wait queue entry of every operation but select */
    struct timer timer;              /* sleep, or the timeout of a select, cond or semaphore */
    struct waitq *timed_q;           /* (o) of a cond or semaphore with a timeout: where the waiter is to be taken out */
    HOOK_G_FIELDS
};

enum p_status { P_IDLE, P_RUNNING, P_RETIRED };

struct p {
    struct runq runq;                /* runq.h */
    struct timers timers;            /* timer.h */
    uint32_t id;                     /* (i) */
    uint32_t tick;                   /* (o) schedules so far; the monitor reads it */
    uint32_t next_streak;            /* (o) runnext picked so many times in a row */
    atomic_bool slow;                /* (a) relaxed: take the long way at the next schedule (retire, global work) */
    enum p_status status;            /* (s) */
    struct m *m;                     /* (s) */
    struct p *idle_next;             /* (s) */
    uint32_t monitor_tick;           /* the monitor's */
    int64_t monitor_since;           /* the monitor's */
} __attribute__((aligned(RT_CACHE_LINE)));

struct m {
    struct ctx g0;                   /* the scheduler's context on this thread */
    struct g *g;                     /* (o) the goroutine it runs, NULL in the scheduler; tools read it */
    struct p *p;                     /* (o), and (s) when the monitor takes it: see monitor.c */
    atomic_uint in_rt;               /* (a) 1 inside the runtime; pairs with p_lost, see monitor.c */
    atomic_uint p_lost;              /* (a) the monitor took, or is taking, the P, or asks for a turn for others: monitor.c */
    bool is_worker;                  /* (i) */
    bool spinning;                   /* (o), and (s) while idle: counted in sched.nspinning */
    uint8_t naps;                    /* (o) since it last found work: findwork.c */
    uint32_t tid;                    /* (i); 0 when the thread has ended */
    uint32_t rng;                    /* (o) */
    int *errno_addr;                 /* (i) */
    struct cxx_eh *cxx_eh;           /* (i) this thread's, cxx.h; NULL: no C++ in the process */
    struct g *gfree;                 /* (o) finished Gs with warm stacks, last in first out */
    uint32_t ngfree;                 /* (o) */
    atomic_int ngs;                  /* (o) written: goroutines started here, less those that ended here */
    uint64_t next_id, end_id;        /* (o) goroutine numbers set aside */
    struct note note;                /* where the thread sleeps */
    struct m *next;                  /* (i) all Ms */
    struct m *idle_next;             /* (s) */
    struct g *thread_g;              /* (i) a thread M's own goroutine; (o) a worker M's: the one wired to it, NULL */
    struct g *big;                   /* (o) finished goroutines with stacks of their own, to be unmapped */
    uintptr_t g0_lo, g0_hi;          /* (i) its g0 stack */
    void *asan;                      /* (o) asan.h, of g0 */
    void *alt_stack;                 /* (i) where signal handlers run */
    atomic_uint stop;                /* (a) signals.c: asked to stop, stopped, for a last report. release/acquire */
    struct tb_regs stopped_regs;     /* valid when it has stopped */
} __attribute__((aligned(RT_CACHE_LINE)));

/* Who walks a list of Gs that are out of the cache waits for several at once: each names one that comes G_AHEAD places later. */
enum { G_AHEAD = 6 };
static inline void g_fetch(const struct g *g)
{
    __builtin_prefetch(g, 1);
}

struct gqueue {
    struct g *first, *last;
    atomic_int n;   /* read without the lock as a hint */
};

/* The state word (gort/debug.h): one plain 64-bit store by the owner; tools check it around their copies. */
static inline void g_set_state(struct g *g, enum gort_status status, enum gort_wait_reason reason)
{
    uint64_t old = atomic_load_explicit(g->state, memory_order_relaxed);
    atomic_store_explicit(g->state, (((old >> 16) + 1) << 16) | (uint64_t)reason << 8 | (uint64_t)status, memory_order_release);
}
/* The same from one state to another, both without a reason: one addition. */
static inline void g_move_state(struct g *g, enum gort_status from, enum gort_status to)
{
    uint64_t old = atomic_load_explicit(g->state, memory_order_relaxed);
    RT_ASSERT((uint16_t)old == (uint16_t)from);
    atomic_store_explicit(g->state, old + (1 << 16) + (uint64_t)to - (uint64_t)from, memory_order_release);
}
static inline enum gort_status g_status(const struct g *g)
{
    return (enum gort_status)GORT_STATE_STATUS(atomic_load_explicit(g->state, memory_order_acquire));
}

#endif
