/* How a channel has been used: sends, and its close, which are wrong if nothing orders them. */
#ifndef RACE_USES_H
#define RACE_USES_H

#include "race.h"
#include "race_list.h"

/* In a channel (runtime/hooks.h), guarded by its lock. Zero: not used. */
struct race_uses {
    struct race_side last;      /* pc: of the call, whose node is its caller's; packed 0: node is all that is known */
    struct shadow_list *more;   /* others that `last` does not stand for; NULL: none */
};

/* g sends, or closes. True: that races with what others did; race_use_report tells, on the same thread, when the channel's lock is free. */
bool race_use(struct race_g *g, struct race_uses *u, bool closes, uintptr_t pc);
void race_use_report(struct race_g *g, uintptr_t channel);
void race_uses_forget(struct race_uses *u);

#endif
