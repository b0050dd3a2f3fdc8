/* Timers: a heap per P under a lock of its own, of timers embedded in what they wake.
 *
 * A timer's life: IDLE -> (timer_start) ARMED, in a heap -> FIRING, out of the heap, its function runs without the heap's lock
 * -> IDLE. timer_stop takes an ARMED one out, and waits for a FIRING one to be done (a few dozen instructions), so that
 * after it the timer's memory is the caller's again. A timer's function must not stop or start its own timer. */
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
    void (*fn)(struct m *m, struct timer *t);   /* set before the start */
    struct timers *heap;                 /* (heap lock) while ARMED */
    uint32_t index;                      /* (heap lock) place in the heap */
    atomic_uint state;                   /* enum timer_state: written under the heap lock, but FIRING -> IDLE */
};

struct timers {
    struct lock lock;                    /* rank TIMER */
    uint32_t n, cap;
    struct timer **heap;                 /* 4-ary, heap[0] first */
    _Atomic(int64_t) first;              /* heap[0]->when or TIMER_NEVER; read without the lock as a hint */
};

void timers_init(struct timers *ts);
/* Arms t for `when`. True: it is now the first of its heap, and who sleeps until the first timer must look again. */
bool timer_start(struct timers *ts, struct timer *t, int64_t when);
/* Disarms. True: it had not fired and will not. */
bool timer_stop(struct timer *t);
/* Fires all that are due; returns how many. */
int timers_run(struct timers *ts, struct m *m, int64_t now);
/* Moves all timers of `from` to `to`. */
void timers_move(struct timers *to, struct timers *from);
bool timers_is_valid(struct timers *ts);

static inline int64_t timers_first(struct timers *ts)
{
    return atomic_load_explicit(&ts->first, memory_order_seq_cst);   /* pairs with timer_start: see sched.c (T) */
}

#endif
