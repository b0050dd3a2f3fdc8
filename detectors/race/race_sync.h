/* What a release left at an address: the releaser's clock, shared, and its own epoch beside it. */
#ifndef RACE_SYNC_H
#define RACE_SYNC_H

#include "race.h"

struct race_sync {
    uintptr_t addr;
    struct race_sync *next;
    struct clock clock;       /* what the releasers knew */
    uint32_t slot, value;     /* the last releaser itself; value 0: nobody */
};

/* Locks addr's bucket and finds its sync; makes it if `make`, else NULL where there is none: locked all the same. */
struct race_sync *race_sync_lock(uintptr_t addr, bool make);
void race_sync_unlock(uintptr_t addr);

/* With it locked: */
void race_sync_acquire(struct race_g *g, struct race_sync *s);
void race_sync_release(struct race_g *g, struct race_sync *s);         /* replaces; the caller ticks after unlocking */
void race_sync_release_merge(struct race_g *g, struct race_sync *s);   /* joins; likewise */
void race_sync_join_into(const struct race_sync *s, struct clock *c);
void race_sync_set(struct race_sync *s, const struct clock *c, bool merge);   /* from a clock that includes its owner */

#endif
