/* An array of accesses that a word remembers, of one kind or of all: what lists (race_list.h) are made of. Belongs to one thread at a time; what may be looked
 * at meanwhile, and by whom, is its owner's business. */
#ifndef RACE_SEGMENT_H
#define RACE_SEGMENT_H

#include "race_list.h"

enum { FEW = 16 };   /* up to so many entries are looked through; of more, a few in turn */

struct segment {
    uint32_t n, cap;
    struct race_side *side;      /* set once more when it grows */
    uint32_t cursor, oldest;     /* cursor: where segment_subsume looks next; oldest: which entry goes next at the bound of memory */
};

static inline size_t segment_bytes(const struct segment *s)
{
    return s->cap * sizeof(struct race_side);
}

/* There is room. Release: with side and n read in order, who looks meanwhile sees whole entries. */
static inline void segment_append(struct segment *s, struct race_side side)
{
    s->side[s->n] = side;
    __atomic_store_n(&s->n, s->n + 1, __ATOMIC_RELEASE);
}

/* Whether one of the last FEW entries stands for now (race_shadow.h). */
static inline bool segment_stands_for(const struct race_side *side, uint32_t n, uint64_t now)
{
    for (uint32_t i = n, end = n > FEW ? n - FEW : 0; i > end; i--)
        if (shadow_stands_for(__atomic_load_n(&side[i - 1].epoch, __ATOMIC_RELAXED), now))
            return true;
    return false;
}

/* Looks at a few entries, in turn, for what is subsumed by `now` of g, and drops it; it conflicts with none. */
void segment_subsume(struct segment *s, struct race_g *g, uint64_t now);
/* An entry takes the place of one that it subsumes or goes on from, of the same goroutine. */
bool segment_put_in_place(struct segment *s, struct race_side side);
/* Drops what a newer entry of the same goroutine subsumes. */
void segment_compact(struct segment *s);

#endif
