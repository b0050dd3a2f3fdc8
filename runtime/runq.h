/* A P's run queue: a ring of goroutines, one owner who puts and gets, any number of thieves, no lock. The design is that of Go's
 * runtime (proc.go, runqput and friends).
 *
 * head and tail count up for ever; slots [head, tail) are full, so tail - head <= RT_RUNQ_SLOTS.
 * - Only the owner writes tail: a release store after the slot, paired with the thief's acquire load: it sees the slots.
 * - head moves by compare-and-swap only (but see Alone), by owner and thieves. A thief reads the slots first and then moves head: if
 *   the swap succeeds, nobody took them meanwhile, and the owner can't have reused them, as it waits for head (the
 *   release of the swap pairs with the owner's acquire load of head before it fills a slot again).
 * - head_seen is the owner's: where head was when he last looked, so head is there or further on. That is enough to know that there is room; and whoever
 *   takes may swap on the strength of it: if head has gone on, the swap fails, and tells where it is. So the owner, who is mostly alone, reads no line that
 *   others write to before he writes to it, and waits for no store of his own.
 * A slot read by a thief that loses the swap may be stale: it is atomic so that the read is no data race.
 *
 * Alone. While the owner's P is the only one, nobody else takes: then he takes with plain loads and stores, at half of the cost of a switch. Whoever makes
 * more Ps ends that first, and waits until the owner is in none of the operations that began before (procs.c: share_queue; tests/spin/runq_alone.pml).
 *
 * `next` is one slot in front of the ring: the goroutine readied last, run first, because its data are warm. It is
 * exchanged atomically: the owner puts and takes, thieves take. */
#ifndef RT_RUNQ_H
#define RT_RUNQ_H

#include "base.h"
#include "config.h"

struct g;

struct runq {
    _Atomic(struct g *) next;
    atomic_uint head __attribute__((aligned(RT_CACHE_LINE)));
    atomic_uint tail __attribute__((aligned(RT_CACHE_LINE)));
    unsigned head_seen;
    atomic_bool alone;   /* relaxed: procs.c */
    _Atomic(struct g *) slot[RT_RUNQ_SLOTS];
};

/* Debug builds, GORT_PERTURB set: an owner who is alone may be interrupted here, at random. */
#ifdef RT_DEBUG
void runq_perturb(void);
#else
static inline void runq_perturb(void) {}
#endif

/* Owner: whether nobody else may take. */
static inline bool runq_is_alone(struct runq *q)
{
    return atomic_load_explicit(&q->alone, memory_order_relaxed);
}

/* Owner: puts g at the end. False if the ring is full: nothing was put. */
static inline bool runq_put(struct runq *q, struct g *g)
{
    unsigned tail = atomic_load_explicit(&q->tail, memory_order_relaxed);   /* ours */
    if (rt_unlikely(tail - q->head_seen >= RT_RUNQ_SLOTS)) {
        q->head_seen = atomic_load_explicit(&q->head, memory_order_acquire);
        if (tail - q->head_seen >= RT_RUNQ_SLOTS)
            return false;
    }
    atomic_store_explicit(&q->slot[tail % RT_RUNQ_SLOTS], g, memory_order_relaxed);
    atomic_store_explicit(&q->tail, tail + 1, memory_order_release);
    return true;
}

/* Owner: takes up to half of a full ring for the global queue into out[RT_RUNQ_SLOTS / 2]; returns how many. */
unsigned runq_take_half(struct runq *q, struct g **out);
/* Owner: the first of the ring, NULL: empty. *at: where it was; *n: how many there were at most. */
static inline struct g *runq_get_at(struct runq *q, unsigned *at, unsigned *n)
{
    unsigned head = q->head_seen;
    for (;;) {
        *n = atomic_load_explicit(&q->tail, memory_order_relaxed) - head;
        *at = head;
        if (*n == 0) {
            q->head_seen = head;
            return NULL;
        }
        struct g *g = atomic_load_explicit(&q->slot[head % RT_RUNQ_SLOTS], memory_order_relaxed);
        bool alone = runq_is_alone(q);
        if (alone) {
            runq_perturb();
            atomic_store_explicit(&q->head, head + 1, memory_order_release);
        }
        if (alone || atomic_compare_exchange_weak_explicit(&q->head, &head, head + 1, memory_order_acq_rel, memory_order_acquire)) {
            q->head_seen = head + 1;
            return g;
        }
    }
}
static inline struct g *runq_get(struct runq *q)
{
    unsigned at, n;
    return runq_get_at(q, &at, &n);
}

/* Owner: whether there are `many` or more in the ring. */
static inline bool runq_is_long(struct runq *q, unsigned many)
{
    unsigned tail = atomic_load_explicit(&q->tail, memory_order_relaxed);
    if (rt_likely(tail - q->head_seen < many))
        return false;
    q->head_seen = atomic_load_explicit(&q->head, memory_order_acquire);
    return tail - q->head_seen >= many;
}

/* Owner: makes g next and returns the former one, NULL: none. Sequentially consistent, unless he is alone: (B) in sched.c. */
static inline struct g *runq_set_next(struct runq *q, struct g *g)
{
    if (!runq_is_alone(q))
        return atomic_exchange_explicit(&q->next, g, memory_order_seq_cst);
    struct g *former = atomic_load_explicit(&q->next, memory_order_relaxed);
    runq_perturb();
    atomic_store_explicit(&q->next, g, memory_order_release);
    return former;
}

/* Owner or thief (there is none, if the owner is alone): takes next, NULL: none. */
static inline struct g *runq_take_next(struct runq *q)
{
    struct g *g = atomic_load_explicit(&q->next, memory_order_relaxed);
    if (g == NULL)
        return NULL;
    if (!runq_is_alone(q))
        return atomic_exchange_explicit(&q->next, NULL, memory_order_acq_rel);
    runq_perturb();
    atomic_store_explicit(&q->next, NULL, memory_order_relaxed);
    return g;
}

/* Thief, which owns `to` (empty): moves half of q there and returns one of them; NULL: nothing to steal. */
struct g *runq_steal(struct runq *to, struct runq *q);
/* Hint, exact for the owner when no thief is active. */
bool runq_is_empty(struct runq *q);
unsigned runq_len(struct runq *q);

#endif
