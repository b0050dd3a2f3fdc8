/* Uses of an object by calls, of which some are wrong if nothing orders them: a send and the close, a lock and its destruction, a descriptor and its close. For
 * a report each has, in the place of a program counter, a mark that says what was done; its node is the call. */
#ifndef RACE_USES_H
#define RACE_USES_H

#include <hooks.h>

#include "race.h"

/* Those of the runtime are enum hook_use. */
enum {
    USE_SYNC = HOOK_USES,    /* a lock was taken, a condition waited for or signalled, a barrier passed */
    USE_SYNC_INIT,
    USE_SYNC_DESTROY,
    USE_STREAM,              /* read, written, flushed; fclose */
    USE_STREAM_CLOSE,
    USES
};
extern const char race_use_marks[USES];
/* What side's program counter stands for; -1: the program's own access. */
static inline int race_use_of(struct race_side side)
{
    uintptr_t mark = race_pc_unpack(side.pc) - (uintptr_t)race_use_marks;
    return mark < USES ? (int)mark : -1;
}
/* The use by a call of node that returns to pc (0: not known); mark: what was done, one of race_use_marks or race_fds.c's. */
struct race_side race_use_side(uint64_t epoch, struct stack_node *node, uintptr_t pc, const char *mark);
/* g uses an object, which counts as an access of its first byte. */
void race_use_object(struct race_g *g, uintptr_t object, int use, uintptr_t pc);

/* ---- of a channel ---- */

struct shadow_list;

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
