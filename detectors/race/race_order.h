/* Lock order: a graph with an edge from each lock that was held to each that was waited for meanwhile. A cycle is a potential deadlock, if it could
 * happen, that is, if there are places, one for each edge, such that
 *   - each is another goroutine's (one goroutine alone can't meet itself),
 *   - no lock is held at two of them (a gate: they never are there at the same time), unless both hold it as readers,
 *   - each waits for what the next one holds in a way that excludes it (not both as readers).
 *
 * A lockset of two locks or more says all about one such place: what was held and what was then taken, and where. So the graph is touched only when a lockset
 * is new, or new to the goroutine, or one of its locks has begun another life since; that is one compare for each lock taken while others are held.
 *
 * A plain store to the lock's memory (an initializer, memset) after an edge was seen begins another life of the lock, too: the shadow memory
 * tells. */
#ifndef RACE_ORDER_H
#define RACE_ORDER_H

#include "race_locks.h"

enum { ORDER_KNOWN_BY = 4 };
struct order_info {
    uint64_t stamp;                 /* order_stamp when the edges were made: they are void if it has changed */
    _Atomic(uint64_t) by[ORDER_KNOWN_BY];   /* by whom: epochs, 0: none */
    uint32_t user[ORDER_KNOWN_BY];          /* first clocks: slots are used again */
    atomic_bool many;               /* by more than fit */
};

/* The sum of its locks' generations, which only grow. */
static inline uint64_t order_stamp(const struct lockset *s)
{
    uint64_t sum = 0;
    for (; s->parent; s = s->parent)
        sum += atomic_load_explicit(&s->lock->gen, memory_order_relaxed);
    return sum;
}

void race_order_add(struct race_g *g, struct lockset *s);

/* g takes (or will wait for) the first lock of s while it holds the others. */
static inline void race_order_check(struct race_g *g, struct lockset *s)
{
    struct order_info *o = atomic_load_explicit(&s->order, memory_order_acquire);
    if (race_likely(o != NULL && o->stamp == order_stamp(s))) {
        if (atomic_load_explicit(&o->many, memory_order_relaxed))
            return;
        for (int i = 0; i < ORDER_KNOWN_BY; i++) {
            uint64_t e = atomic_load_explicit(&o->by[i], memory_order_relaxed);
            if (e != 0 && epoch_slot(e) == g->slot && epoch_clock(e) >= g->who->first_clock)
                return;
        }
    }
    race_order_add(g, s);
}

/* One edge of a cycle for a report: while `held` was held, where `wanted` (whose parents include held) says, `wanted->lock` was taken. */
struct order_step {
    struct lockset *held, *wanted;
    uint64_t by;                    /* the goroutine's epoch */
    uint32_t user;                  /* and its first clock in the slot */
};

#endif
