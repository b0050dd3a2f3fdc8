/* Lock order: a graph with an edge from each lock that was held to each that was waited for meanwhile. A cycle is a potential deadlock, if it could
 * happen, that is, if there are places, one for each edge, such that
 *   - each is another goroutine's (one goroutine alone can't meet itself),
 *   - no lock is held at two of them (a gate: they never are there at the same time), unless both hold it as readers,
 *   - each waits for what the next one holds in a way that excludes it (not both as readers).
 *
 * A lockset of two locks or more says all about one such place: what was held and what was then taken, and where. So the graph is touched only when
 * a lockset is new, or new to the goroutine, or one of its locks has begun another life since; that is one compare for each lock taken while others are
 * held. (A lock that was given back, but is still in the set's list, race_held.h, counts as one of its locks there: when it ends the set is
 * void until it is taken again.)
 *
 * A plain store to the lock's memory (an initializer, memset) after an edge was seen begins another life of the lock, too: the shadow memory
 * tells. */
#ifndef RACE_ORDER_H
#define RACE_ORDER_H

#include "race_locks.h"

enum { ORDER_KNOWN_BY = 4 };
struct order_info {
    struct lockset *set;
    struct order_info *next_taken;  /* the next set that takes the same lock */
    bool listed;                    /* it is in that list */
    bool lacking;                   /* there was no room for its edges */
    _Atomic(uint32_t) stamp;        /* order_stamp when the edges were made: they are void if it has changed */
    atomic_bool many;               /* by more than fit */
    _Atomic(uint64_t) by[ORDER_KNOWN_BY];   /* by whom: epochs, 0: none */
    uint32_t user[ORDER_KNOWN_BY];          /* first clocks: slots are used again */
};

/* Counts, by twos, how often a lock that was held together with others has begun another life. Odd. */
extern _Atomic(uint32_t) race_order_lives;

/* The sum of its locks' generations, which only grow. Kept in the set, with the count of lives from which on it is that: so it is a look where no lock has
 * ended lately, and a set of one more lock than the last costs one addition.
 * A lock's generation changes before the count does, which is read first (release, acquire): who sees the new count sees the generation. */
static inline uint32_t order_stamp(struct lockset *s)
{
    uint32_t lives = atomic_load_explicit(&race_order_lives, memory_order_acquire), sum = 0;
    struct lockset *h = s;
    for (; h->parent; h = h->parent) {
        uint64_t kept = atomic_load_explicit(&h->stamp, memory_order_relaxed);
        if (kept >> 32 == lives) {
            sum += (uint32_t)kept;
            break;
        }
        sum += atomic_load_explicit(&h->lock->gen, memory_order_relaxed);
    }
    if (h != s)
        atomic_store_explicit(&s->stamp, (uint64_t)lives << 32 | sum, memory_order_relaxed);
    return sum;
}

void race_order_add(struct race_g *g, struct lockset *s);
/* A lock's memory begins another life: its generation goes up, and what was known of its order is void. */
void race_order_ends(struct race_lock *l);

/* g takes (or will wait for) the first lock of s while it holds the others. */
static inline void race_order_check(struct race_g *g, struct lockset *s)
{
    struct order_info *o = atomic_load_explicit(&s->order, memory_order_acquire);
    if (race_likely(o != NULL && atomic_load_explicit(&o->stamp, memory_order_acquire) == order_stamp(s))) {
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
