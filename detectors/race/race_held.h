/* Questions about a long lockset: a goroutine may hold thousands of locks.
 *
 * A set is a list, latest first. A lock that is given back and lies below many others stays in it: an entry of kind LOCK_GONE on top says that the
 * latest entry of that lock which is not gone yet is gone. (To make all sets above anew, as is done for few, would cost as many for each lock that is
 * given back.) `live` counts what is held, `gone` such entries. Where they are more than what is held, the set is made anew from what is held.
 *
 * Whether a goroutine holds a lock is a look into a table of counts by address, if it holds many. The table is of the set that was asked about last; the next
 * question brings it up to date, by the entries in which the two sets differ: as many as locks were taken and given back meanwhile. */
#ifndef RACE_HELD_H
#define RACE_HELD_H

#include "race_locks.h"

/* The latest entry of l that is not gone. NULL: there is none. */
static inline struct lockset *lockset_find(struct lockset *s, const struct race_lock *l)
{
    uint32_t gone = 0;
    for (; s->parent; s = s->parent)
        if (s->lock == l) {
            if (s->kind & LOCK_GONE)
                gone++;
            else if (gone-- == 0)
                return s;
        }
    return NULL;
}

/* Whether the entry h of s is not gone (of several of one lock: whether it is the latest). */
static inline bool lockset_has(struct lockset *s, const struct lockset *h)
{
    return !(h->kind & LOCK_GONE) && (s->gone == 0 || lockset_find(s, h->lock) == h);
}

/* The entries of s that are not gone, latest first, into a block of s->live places; returns how many. For race_free with as many. */
struct lockset **lockset_held(struct lockset *s);

/* How often: a recursive lock, or a reader's, may be held more than once. */
uint32_t race_times_held(struct race_g *g, uintptr_t addr);
static inline bool race_holds(struct race_g *g, uintptr_t addr)
{
    return race_times_held(g, addr) > 0;
}
/* g ends. */
void race_held_forget(struct race_g *g);

#endif
