/* The table of what releases left, by address (race_sync_table.c), for the files that work on it. */
#ifndef RACE_SYNC_TABLE_H
#define RACE_SYNC_TABLE_H

#include "race_sync.h"

enum { SYNC_BUCKETS = 1 << 20, SYNC_LOCKED = 1 };

/* A word each: the first of its list, with SYNC_LOCKED if somebody has it locked. */
extern _Atomic(uintptr_t) race_sync_buckets[SYNC_BUCKETS];

static inline uint32_t sync_page_hash(uintptr_t addr)
{
    return (uint32_t)(((addr >> 12) * 0x9e3779b97f4a7c15u) >> 44);
}

/* The neighbours of an address lie in neighbouring buckets, one for each 4 bytes. */
static inline _Atomic(uintptr_t) *sync_bucket(uintptr_t addr)
{
    return &race_sync_buckets[(sync_page_hash(addr) + (uint32_t)(addr >> 2)) % SYNC_BUCKETS];
}

/* Without the lock, if addr's sync is the first of its bucket (made by a release before). Only g touches what is in it but for the link. The bucket may change
 * meanwhile, and the first that we saw be freed, if it is another address's: then the word that we compare is no user's address (it is a free
 * block's link, or zero, or a detector's pointer). */
static inline __attribute__((always_inline)) struct race_sync *race_sync_held(uintptr_t addr)
{
    struct race_sync *s = (struct race_sync *)(atomic_load_explicit(sync_bucket(addr), memory_order_acquire) & ~(uintptr_t)SYNC_LOCKED);
    return s && race_likely(__atomic_load_n(&s->addr, __ATOMIC_RELAXED) == addr) ? s : NULL;
}

/* ---- race_sync_parts.c ---- */

/* With s locked: takes into it what was left in its parts, which it then has no more. */
void race_sync_gather(struct race_sync *s);
/* With s locked: the calling thread gets a part, if it is to be had. */
void race_sync_part(struct race_sync *s);
/* False: the calling thread has no part of addr's sync; nothing was done. */
bool race_sync_release_to_part(struct race_g *g, uintptr_t addr);

#endif
