/* Who waits in conditions, barriers and semaphores of POSIX: for telling when one is destroyed, or its memory ends, while a thread is parked in it. Orders
 * nothing. */
#ifndef RACE_WAITS_H
#define RACE_WAITS_H

#include "race_locks.h"

struct race_wait;

/* The caller is about to park in the object at addr; kind: LOCK_COND, LOCK_BARRIER, LOCK_SEM. NULL: the detector is off. */
struct race_wait *race_wait_enter(struct race_g *g, const volatile void *addr, unsigned kind, uintptr_t pc);
/* It goes on; woken: because it was woken, not for another reason. */
void race_wait_leave(struct race_wait *w, bool woken);
/* One of those who wait there, or all, will be woken. Before they are. */
void race_wait_wakes(const volatile void *addr, bool all);
/* The objects in these n bytes are no more. Reports those in which somebody is parked (g NULL: doesn't). */
void race_waits_gone(struct race_g *g, uintptr_t addr, size_t n, enum lock_end how, uintptr_t pc);

#endif
