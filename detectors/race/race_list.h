/* What a shadow word's second place holds when one entry is not enough: a list of any length, if it is long in four segments by kind, so that an access is
 * compared with the entries that it may conflict with, and not with 100,000 readers when it reads itself.
 *
 * Belongs to the holder of the word's lock, except list_stands_for, list_says and list_has_part, which may look at any time: so neither a list nor an array
 * that it outgrew is freed before the word is cleared. */
#ifndef RACE_LIST_H
#define RACE_LIST_H

#include <stdatomic.h>

#include "race.h"

struct shadow;
struct shadow_list;

/* Entries that race with one access: a few at first, as many as there are. */
enum { RACED_FEW = 4 };
struct raced {
    uint32_t n, cap;           /* cap 0: few */
    struct race_side *more;    /* all of them, if they are not few */
    struct race_side few[RACED_FEW];
};
void raced_add(struct raced *r, struct race_side side);

struct shadow_list *list_new(void);
void list_free(struct shadow_list *l);
void list_add(struct shadow_list *l, struct race_side side);
/* Judges the entries for an access `now` by g: what is subsumed goes (where an access can't conflict, perhaps later), those that it races with are put
 * in *raced. True if all that remains is known to have happened before. */
bool list_judge(struct shadow_list *l, struct race_g *g, uint64_t now, struct raced *raced);
/* Whether a recent entry stands for now. Without the lock; an entry may be missed. */
bool list_stands_for(const struct shadow_list *l, uint64_t now);
uint32_t list_count(const struct shadow_list *l);
/* Of a long list of the word, into whose first place a plain read is about to come: the calling thread gets a part of it if it is worth while. Whether parts
 * are open. */
bool list_divide(struct shadow_list *l, const struct shadow *word);
extern uint32_t list_crowded;   /* from how many plain reads on it is; a variable for the tests */

/* ---- the rules, for lists and for single entries (race_shadow.h says why) ---- */

#define SHADOW_STRENGTH ((uint64_t)0xff << MASK_SHIFT | EPOCH_WRITE)

/* e, by the same goroutine in the same epoch, makes it needless that `now` comes in. Never true of a locked epoch. */
static inline bool shadow_stands_for(uint64_t e, uint64_t now)
{
    return (e ^ now) >> CLOCK_SHIFT == 0 && !(now & ~e & SHADOW_STRENGTH) && !(e & ~now & (EPOCH_ATOMIC | EPOCH_LOCK));
}

/* If e happened before now, it may go. */
static inline bool shadow_subsumes(uint64_t now, uint64_t e)
{
    return !(e & ~now & SHADOW_STRENGTH) && !(now & ~e & EPOCH_ATOMIC);
}

/* The same place of the program, by the same calls in the same epoch, has gone on to bytes beside those of e: they count as one access, e | now. So a loop
 * over bytes leaves one entry in a word, not eight. */
static inline bool shadow_goes_on(struct race_side e, struct race_side now)
{
    uint32_t bytes = epoch_mask(e.epoch | now.epoch), lowest = bytes & (0u - bytes);
    return ((e.epoch ^ now.epoch) & ~((uint64_t)0xff << MASK_SHIFT)) == 0 && e.pc == now.pc && e.node == now.node && !((bytes + lowest) & bytes);
}

/* e was asked for last, and happened before. */
static inline bool shadow_seen(const struct race_g *g, uint64_t e)
{
    return epoch_slot(e) == g->seen_slot && epoch_clock(e) <= g->seen_clock;
}

/* What a list begins with, to be read at any time. plain: what the goroutine whose entry came in last did in its epoch, as far as it is in the list: plain
 * reads and writes together, and writes alone (perhaps another goroutine's). Each is an epoch with the bytes of several entries, one word; 0: nothing. */
struct list_front {
    _Atomic(uint64_t) plain[2];
    _Atomic(uint16_t) parts;   /* which are open (race_list_parts.h); the word's holder writes */
};
/* Whether it is the goroutine of `now`, in the same epoch: then *stands says whether that stands for now. */
static inline bool list_says(const struct shadow_list *l, uint64_t now, bool *stands)
{
    const struct list_front *d = (const struct list_front *)l;
    uint64_t done = atomic_load_explicit(&d->plain[now & EPOCH_WRITE ? 1 : 0], memory_order_relaxed);
    *stands = shadow_stands_for(done, now);
    return !(now & EPOCH_ATOMIC) && (done ^ now) >> CLOCK_SHIFT == 0;
}

/* Whether the part of that number may be open. */
static inline bool list_has_part(const struct shadow_list *l, unsigned number)
{
    return atomic_load_explicit(&((const struct list_front *)l)->parts, memory_order_relaxed) >> number & 1;
}

enum verdict { KEEP, DROP, RACE };

/* before: whether e happened before. */
static inline enum verdict shadow_judge(struct race_g *g, uint64_t e, uint64_t now, bool *before)
{
    if ((e ^ now) >> SLOT_SHIFT == 0 || shadow_seen(g, e)) {
        *before = true;
    } else if ((*before = race_before(g, e))) {
        g->seen_slot = epoch_slot(e);
        g->seen_clock = epoch_clock(e);
    }
    if (*before)
        return shadow_subsumes(now, e) ? DROP : KEEP;
    bool conflict = (epoch_mask(e) & epoch_mask(now)) && ((e | now) & EPOCH_WRITE) && !(e & now & EPOCH_ATOMIC);
    return conflict ? RACE : KEEP;
}

#endif
