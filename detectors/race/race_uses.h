/* How a channel, or a descriptor, has been used, and its close: which is wrong if nothing orders them. */
#ifndef RACE_USES_H
#define RACE_USES_H

#include "race.h"
#include "race_list.h"

/* In a channel (runtime/hooks.h), guarded by the object's lock. Zero: not used. */
struct race_uses {
    struct race_side last;      /* pc: of the call, whose node is its caller's; packed 0: node is all that is known */
    struct shadow_list *more;   /* others that `last` does not stand for; NULL: none */
};

/* g sends, or closes. True: that races with what others did; race_use_report tells, on the same thread, when the channel's lock is free. */
bool race_use(struct race_g *g, struct race_uses *u, bool closes, uintptr_t pc);
void race_use_report(struct race_g *g, uintptr_t channel);
/* The same for other objects (race_fds.c), by g, which is not ignored: `me` is what reports get to see. */
bool race_use_as(struct race_g *g, struct race_uses *u, struct race_side me);
void race_use_tell(struct race_g *g, uintptr_t object);
void race_uses_forget(struct race_uses *u);

#endif
