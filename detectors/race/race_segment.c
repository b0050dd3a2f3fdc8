/* See race_segment.h. */
#include "race_segment.h"

#include "race_alloc.h"
#include "race_sort.h"

enum { IN_VAIN = 8 };

/* Newest first within a goroutine. */
#define NEWEST_FIRST(side) (~(side).epoch)
RACE_SORT(sort, struct race_side, NEWEST_FIRST)

/* Whether a goroutine has two entries; for certain, if it says no. Where 100,000 have read the same word each has one, and sorting is for nothing. */
static bool may_repeat(const struct segment *s)
{
    enum { SLOTS = 1 << (64 - SLOT_SHIFT) };
    uint32_t bits = 64, i = 0;
    while (bits < SLOTS && bits / 16 < s->n)
        bits *= 2;
    uint64_t *seen = race_alloc(bits / 8);
    for (; i < s->n; i++) {
        uint32_t slot = epoch_slot(s->side[i].epoch) & (bits - 1);
        if (seen[slot / 64] >> slot % 64 & 1)
            break;
        seen[slot / 64] |= (uint64_t)1 << slot % 64;
    }
    race_free(seen, bits / 8);
    return i < s->n;
}

void segment_compact(struct segment *s)
{
    if (!may_repeat(s))
        return;
    uint32_t kept = 0, run = 0;
    sort(s->side, s->n);
    for (uint32_t i = 0; i < s->n; i++) {
        struct race_side e = s->side[i];
        if (kept == 0 || epoch_slot(s->side[kept - 1].epoch) != epoch_slot(e.epoch))
            run = kept;
        bool subsumed = false;
        for (uint32_t k = run; k < kept && !subsumed; k++)
            subsumed = shadow_subsumes(s->side[k].epoch, e.epoch);
        if (!subsumed)
            s->side[kept++] = e;
    }
    s->n = kept;
}

bool segment_put_in_place(struct segment *s, struct race_side side)
{
    for (uint32_t i = s->n; i > 0; i--) {
        struct race_side *e = &s->side[i - 1];
        if ((e->epoch ^ side.epoch) >> SLOT_SHIFT != 0)
            continue;
        bool on = shadow_goes_on(*e, side);
        if (on || (epoch_clock(e->epoch) <= epoch_clock(side.epoch) && shadow_subsumes(side.epoch, e->epoch))) {
            side.epoch |= on ? e->epoch : 0;
            *e = side;
            return true;
        }
    }
    return false;
}

/* Where none goes one is looked at for each IN_VAIN accesses: what is left too long costs room, not truth. */
void segment_subsume(struct segment *s, struct race_g *g, uint64_t now)
{
    uint32_t i = s->cursor;
    bool before, stay = s->n % IN_VAIN == 0;
    for (unsigned look = FEW; look > 0 && stay && s->n > 0; look--) {
        if (i >= s->n)
            i = 0;
        if (shadow_judge(g, s->side[i].epoch, now, &before) == DROP) {
            s->side[i] = s->side[--s->n];
        } else {
            i++;
            stay = false;
        }
    }
    if (s->cursor != i)   /* many read one word: what does not change stays with all processors */
        s->cursor = i;
}
