/* What releases left at an address: clocks of the releasers, shared, and the last one's own epoch beside its clock.
 *
 * Mostly it is *whole*: all that is there is what goroutine `slot` published with `value`: it released last, and knew what was there before or replaced
 * it. Then who knows (slot, value) has nothing to learn (race.h, publishing), and that is one look into its clock. */
#ifndef RACE_SYNC_H
#define RACE_SYNC_H

#include "race.h"
#include "race_bias.h"

struct race_sync {
    uintptr_t addr;
    struct race_sync *next;
    struct clock clock;       /* what the releasers knew */
    struct clock own;         /* the values of releasers before the last that are still part of it */
    uint32_t slot, value;     /* the last releaser; value 0: everything is in `clock`, or there is nothing */
    bool whole;
    bool seen;                /* another goroutine looked since the last release (race_atomic.c) */
    uint16_t owner;           /* the thread that may use it without the bucket's lock while it is busy with the region (race_bias.h); 0: none */
    uint16_t parts;           /* the threads' (race_sync_parts.c) that have left something apart; 0: everything is here */
    uint16_t alone;           /* how often the owner changed it so; only a hint for who waits (wait_a_turn) */
    uint64_t version;         /* of its bucket, while it is the first there: another one after each change (race_sync_look) */
};

/* Who has released in [addr, addr + n) what g does not know: calls fn with slots and values that were left there, until it returns true. */
bool race_sync_unknown(const struct race_g *g, uintptr_t addr, size_t n, bool (*fn)(void *arg, uint32_t slot, uint32_t value), void *arg);

/* Locks addr's bucket and finds its sync; makes it if `make`, else NULL where there is none: locked all the same. */
struct race_sync *race_sync_lock(uintptr_t addr, bool make);
/* The same for a release that others may make beside it: makes it, leaves the parts where they are. *met: another thread had it locked. */
struct race_sync *race_sync_lock_part(uintptr_t addr, bool *met);
/* With it locked, before that is given back: g learned all that is in s, which may be NULL, or noted it in fence_acquire. */
void race_sync_note(struct race_g *g, struct race_sync *s, bool known);
void race_sync_unlock(uintptr_t addr);
/* By who has changed nothing there but clocks' trees and `seen`. */
void race_sync_unlock_unchanged(uintptr_t addr);

/* By who has left its last epoch in s, and noted or learned all that is there. */
void race_sync_unlock_left(struct race_g *g, struct race_sync *s, bool known);
/* Whether nothing was recorded or learned since, and that value was published nowhere else: who learned it there knows the epoch, and would pass for
 * one who knows what is done at s later and counts as part of it. */
static inline bool race_sync_has_left(const struct race_g *g)
{
    return g->noted_left && g->noted_left == race_g_value(g) && g->only == g->noted;
}

/* A look without the lock. After race_sync_look has said yes the caller does what it has to at addr (it reads the program's atomic). If
 * race_sync_is_settled then says yes, nothing was changed between the two, and g had nothing to learn and nothing to leave. Acquire. */
struct race_look {
    uintptr_t first;
    uint64_t version;
};
bool race_sync_look(uintptr_t addr, struct race_look *look);
bool race_sync_is_settled(const struct race_g *g, uintptr_t addr, const struct race_look *look);
/* The same of a relaxed load: what was there for an acquire fence to make known, it has been noted already. */
bool race_sync_is_noted(const struct race_g *g, uintptr_t addr, const struct race_look *look);
/* The same of a release, or of one that acquires too, by who has left all that it knows (race_sync_has_left): nobody has changed what is there since then, or
 * learned of it. */
bool race_sync_is_left(const struct race_g *g, uintptr_t addr, const struct race_look *look, bool acquires);

/* With s locked, whole, and come to by a goroutine of the calling thread, which learns it: the next one of them learns it by a look, if nothing was changed
 * (true). What is kept is given back when the thread ends. */
void race_sync_keep(const struct race_sync *s);
bool race_sync_learn_kept(struct race_g *g, const struct race_look *look);
void race_sync_thread_end(void);

/* With it locked: */
void race_sync_acquire(struct race_g *g, struct race_sync *s);
/* Replaces; joins. Both publish. */
void race_sync_release(struct race_g *g, struct race_sync *s);
void race_sync_release_merge(struct race_g *g, struct race_sync *s);
/* The same in two steps, for who has something to do in the epoch that is published: with value g->clock; race_g_tick follows. */
void race_sync_leave(struct race_g *g, struct race_sync *s, uint32_t value);
void race_sync_leave_merge(struct race_sync *s, uint32_t slot, uint32_t value, const struct clock *known, bool knows);
void race_sync_join_into(struct race_sync *s, struct clock *c);
/* Replaces what is there by what `slot` knew when it published `value`. */
void race_sync_set(struct race_sync *s, uint32_t slot, uint32_t value, const struct clock *known);
/* The calling thread has released there: if the region is its own, it may do without the lock from now on. */
static inline void race_sync_owned(struct race_sync *s)
{
    s->owner = bias_covers(s->addr) && bias_owner(s->addr >> BIAS_BITS) == bias_me->id ? (uint16_t)bias_me->id : 0;
}
/* Empty. */
void race_sync_clear(struct race_sync *s);
static inline bool race_sync_is_empty(const struct race_sync *s)
{
    return s->value == 0 && s->clock.root == NULL;
}
/* Whether that is all that is there: then a release only changes the value. */
static inline bool race_sync_is_left_by(const struct race_g *g, const struct race_sync *s)
{
    return s->whole && s->own.root == NULL && race_g_has_left_all(g, s->slot, s->value);
}
/* Whether g has nothing to learn here. */
static inline bool race_sync_is_known(const struct race_g *g, const struct race_sync *s)
{
    return s->whole ? s->slot == g->slot || clock_get(&g->known, s->slot) >= s->value : race_sync_is_empty(s);
}

#endif
