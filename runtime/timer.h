/* Timers: a heap per P under a lock of its own, of timers embedded in what they wake.
 *
 * A timer's life: IDLE -> (timer_start) ARMED, in a heap -> FIRING, out of the heap, its function runs without the heap's lock
 * -> IDLE, or ARMED again if it has a period. timer_stop takes an ARMED one out, and waits for a FIRING one to be done (a few
 * dozen instructions), so that after it the timer's memory is the caller's again. While it is FIRING the timer is the firing
 * thread's, which rearms a periodic one itself: a timer's function must not stop or start its own timer, nor wait for a lock
 * under which others stop it. */
#ifndef RT_TIMER_H
#define RT_TIMER_H

#include "base.h"
#include "lock.h"

#define TIMER_NEVER INT64_MAX

struct m;
struct p;
struct timers;

enum timer_state { TIMER_IDLE, TIMER_ARMED, TIMER_FIRING };

struct timer {
    int64_t when;                        /* (heap lock) CLOCK_MONOTONIC ns */
    int64_t period;                      /* set before the start; > 0: fires again each time so many ns have passed */
    void (*fn)(struct m *m, struct timer *t);   /* set before the start */
    struct timers *heap;                 /* (heap lock) while ARMED */
    uint32_t index;                      /* (heap lock) place in the heap */
    atomic_uint state;                   /* enum timer_state: written under the heap lock, but FIRING -> IDLE */
};

/* A place in a heap: with the instant, so that comparing doesn't touch the timers, which are out of the cache. */
struct timer_place {
    int64_t when;
    struct timer *t;
};

struct timers {
    struct lock lock;                    /* rank TIMER */
    uint32_t n, cap;
    struct timer_place *heap;            /* 4-ary, heap[0] first; the four below one share a cache line */
    void *memory;                        /* what heap lies in */
    _Atomic(int64_t) first;              /* heap[0]->when or TIMER_NEVER; read without the lock as a hint */
};

void timers_init(struct timers *ts);
/* Arms t for `when`. True: it is now the first of its heap, and who sleeps until the first timer must look again. */
bool timer_start(struct timers *ts, struct timer *t, int64_t when);
/* Disarms. True: it had not fired and will not (a periodic one: will not again). */
bool timer_stop(struct timer *t);
/* As timer_stop, but leaves one that is FIRING alone and does not wait for it: for callers that hold what its function needs.
 * False does not mean that its function is done with it, nor that it won't fire again. */
bool timer_try_stop(struct timer *t);
/* Fires all that are due; returns how many. A periodic one whose instants were missed fires once for all of them. */
int timers_run(struct timers *ts, struct m *m, int64_t now);
/* Moves all timers of `from` to `to`. */
void timers_move(struct timers *to, struct timers *from);
bool timers_is_valid(struct timers *ts);

/* sched.c: `when` has just become the first instant of some heap; sees to it that somebody wakes for it. No lock held. */
void sched_timer_watch(int64_t when);

static inline int64_t timers_first(struct timers *ts)
{
    return atomic_load_explicit(&ts->first, memory_order_seq_cst);   /* pairs with timer_start: see sched.c (T) */
}

#endif
