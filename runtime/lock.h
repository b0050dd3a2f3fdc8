/* The runtime's internal lock: held for a few dozen instructions, never across a park, a system call that can wait, or a call
 * into the program. Rationale: docs/sched.md.
 *
 * A test-and-set spin lock that backs off to the OS scheduler. Unlocking is a plain store, which a lock with sleepers could not
 * have (it must look for them atomically: about 5 ns more on every channel operation). The price is paid when a holder's thread is
 * preempted in those few instructions: waiters then yield, and after a while sleep in steps of 50 us.
 *
 * Memory order: the acquire exchange pairs with the release store of the unlock before.
 *
 * Debug builds (-DRT_DEBUG) check the order of lockrank.h on each lock, per thread. */
#ifndef RT_LOCK_H
#define RT_LOCK_H

#include "base.h"
#include "lockrank.h"

struct lock {
    atomic_uint held;
#ifdef RT_DEBUG
    uint32_t rank;
#endif
};

#ifdef RT_DEBUG
#define LOCK_INIT(r) {0, LOCK_RANK_##r}
#define lock_init(l, r) ((void)(atomic_init(&(l)->held, 0), (l)->rank = LOCK_RANK_##r))
void lockrank_acquire(const struct lock *l);
void lockrank_release(const struct lock *l);
bool lock_is_held(const struct lock *l);
#else
#define LOCK_INIT(r) {0}
#define lock_init(l, r) ((void)(atomic_init(&(l)->held, 0), LOCK_RANK_##r))
#define lockrank_acquire(l) ((void)(l))
#define lockrank_release(l) ((void)(l))
#define lock_is_held(l) ((void)(l), true)
#endif

void lock_slow(struct lock *l);

static inline void lock(struct lock *l)
{
    lockrank_acquire(l);
    if (rt_unlikely(atomic_exchange_explicit(&l->held, 1, memory_order_acquire)))
        lock_slow(l);
}

static inline bool lock_try(struct lock *l)
{
    if (atomic_load_explicit(&l->held, memory_order_relaxed) ||
        atomic_exchange_explicit(&l->held, 1, memory_order_acquire))
        return false;
    lockrank_acquire(l);
    return true;
}

static inline void unlock(struct lock *l)
{
    lockrank_release(l);
    atomic_store_explicit(&l->held, 0, memory_order_release);
}

#endif
