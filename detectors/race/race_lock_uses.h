/* Uses of a lock against its life: who initializes, destroys, frees or overwrites it must be ordered with everybody who locks and unlocks it.
 *
 * - A goroutine that takes a lock at a place where it did not lately looks for a write to the lock's memory that it does not know of, before it acquires
 *   what the last holder left; and enters its use as an access, afterwards, where most uses before it are subsumed. So a write that comes later finds it.
 * - Unlocking is a release, in an epoch that the unlocker publishes nowhere before (race_lock_leaves). So at a lock's end what was left there is compared
 *   with what the goroutine that ends it knows: an unlock that it does not know of is found, and the unlocker's lock history has the place where that
 *   held the lock.
 *
 * All that of calls from the program's own code: what a library locks and frees it may order by atomics that are not seen here.
 *
 * Locking again in a loop costs a comparison for all that. What is missed: a write other than init, destroy and free that is ordered with a goroutine's
 * first use of the lock, but not with a later one from the same place; and one between two uses from there, if not ordered with the second alone. */
#ifndef RACE_LOCK_USES_H
#define RACE_LOCK_USES_H

#include "race.h"

struct race_lock;

/* Before and after the acquire. */
void lock_use_begins(struct race_g *g, uintptr_t addr, uintptr_t pc);
void lock_use(struct race_g *g, uintptr_t addr, uintptr_t pc);

enum lock_end { LOCK_DESTROYED, LOCK_INITIALIZED, LOCK_FREED, LOCK_STACK_ENDED };
/* The lock, which nobody holds, comes to an end by the call at pc, before what was left there is forgotten. */
void lock_use_ends(struct race_g *g, struct race_lock *l, enum lock_end how, uintptr_t pc);

/* Of a lock, in which the addresses lie that its holders synchronize by. */
enum { LOCK_BYTES = 16 };

#endif
