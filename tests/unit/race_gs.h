/* For tests that drive the race detector's own functions: goroutines without a runtime, and chance. */
#ifndef RACE_GS_H
#define RACE_GS_H

#include <race.h>
#include <string.h>

/* g begins, in that slot, knowing nothing. */
static inline void g_start(struct race_g *g, uint32_t slot)
{
    memset(g, 0, sizeof *g);
    g->node = &race_stack_root;
    g->slot = slot;
    g->clock = 1;
    race_g_new_epoch(g);
}

static inline void g_new_epoch(struct race_g *g)
{
    g->clock++;
    race_g_new_epoch(g);
}

/* All that `from` did so far happens before what `to` does next. */
static inline void g_release_to(struct race_g *from, struct race_g *to)
{
    clock_join(&to->known, &from->known, false);
    clock_raise(&to->known, from->slot, from->clock);
    g_new_epoch(from);
}

static inline uint64_t rnd(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

#endif
