/* Which locksets a goroutine held, by clock: a ring of (clock, lockset id), written by the goroutine alone.
 *
 * It grows, four times each, to the bound by history_size as long as all rings together keep their bound; after that the oldest is overwritten. The
 * reader, under a lock that growing takes too, reads n, the entry, and n again: if the writer has come round meanwhile, the entry counts as lost.
 * (Release on n after the entry's store, acquire on reading n before it.) */
#ifndef RACE_LOCK_HISTORY_H
#define RACE_LOCK_HISTORY_H

#include "race.h"

#define LOCKSET_UNKNOWN 0xffffffffu

struct lock_history {
    uint32_t cap;                /* a power of two */
    atomic_uint n;               /* entries ever written */
    uint32_t from;               /* index of the oldest entry that growing kept; 0: all, and nothing was held before the first */
    _Atomic(uint64_t) at[];      /* clock << 32 | lockset id */
};
/* A ring with room: a larger one, or, at a bound, the same, whose oldest entry is given up. */
struct lock_history *race_lock_history_grow(struct race_g *g);

/* From g's epoch on it holds that set. An entry of the same epoch is replaced: no access was recorded under it. */
static inline void lock_history_push(struct race_g *g, uint32_t id)
{
    struct lock_history *h = g->who->lock_history;
    uint32_t n = h ? atomic_load_explicit(&h->n, memory_order_relaxed) : 0;
    uint64_t now = (uint64_t)g->clock << 32 | id;
    g->lockset = id;
    if (g->lockset_since == g->clock) {
        atomic_store_explicit(&h->at[(n - 1) & (h->cap - 1)], now, memory_order_relaxed);
        return;
    }
    g->lockset_since = g->clock;
    if (race_unlikely(!h || (n & (h->cap - 1)) == 0))
        if (!h || n >= h->cap)
            h = race_lock_history_grow(g);
    atomic_store_explicit(&h->at[n & (h->cap - 1)], now, memory_order_relaxed);
    atomic_store_explicit(&h->n, n + 1, memory_order_release);
}

/* The set that the user of a slot held at that clock; its id, or LOCKSET_UNKNOWN. Called under the lock of the slots. */
uint32_t race_locks_at(const struct race_who *w, uint32_t clock);
/* The goroutine goes on under another slot and clock, and still holds that set. */
void race_locks_moved(struct race_g *g, uint32_t id);
void race_locks_forget(struct race_who *w);
/* How many lookups found their history gone. */
int race_locks_lost(void);

#endif
