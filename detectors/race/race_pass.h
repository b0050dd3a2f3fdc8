/* What releases left in an object of the runtime, which guards it: a channel's slot (runtime/hooks.h). As race_sync.h has it for an address. */
#ifndef RACE_PASS_H
#define RACE_PASS_H

#include "race.h"

/* Zero is empty. Value 0: everything is in `clock`. */
struct race_pass {
    struct clock clock;
    uint32_t slot, value;
};
/* g acquires what is there, and releases what it knew before. */
void race_pass(struct race_g *g, struct race_pass *p);
/* g acquires. */
void race_pass_see(struct race_g *g, const struct race_pass *p);
/* g releases, joined to what is there. */
void race_pass_leave(struct race_g *g, struct race_pass *p);
void race_passes_forget(struct race_pass *p, size_t n);
/* Both learn all that the other knows. */
void race_meet(struct race_g *a, struct race_g *b);

#endif
