/* The slow half of the internal lock, and the order checker of debug builds. See lock.h. */
#include "lock.h"

#include "internal.h"
#include "os.h"

/* Waits away from the lock's cache line, longer each time, then gives the processor away, then sleeps.
 *
 * Not looking is what makes a contended channel fast: whoever has the line gets some dozens of operations done, in turn with what it does
 * between them, before the other takes it over. Looking all the time would move the line, and all that the lock guards, with each
 * operation. A holder that the OS has preempted must get to run again, hence the yield. */
rt_noinline void lock_slow(struct lock *l)
{
    enum { PAUSES_FIRST = 16, PAUSES_MAX = 128, SPINS = 32, YIELDS = 1000 };
    unsigned pauses = PAUSES_FIRST;
    for (unsigned round = 0;; round++) {
        if (round < SPINS && os_ncpu() > 1) {
            for (unsigned i = 0; i < pauses; i++)
                ctx_pause();
            pauses = pauses < PAUSES_MAX ? 2 * pauses : pauses;
        } else if (round < SPINS + YIELDS) {
            os_thread_yield();
        } else {
            forked_check();   /* of a thread that is gone */
            os_nanosleep(50000);
        }
        if (!atomic_load_explicit(&l->held, memory_order_relaxed) && !atomic_exchange_explicit(&l->held, 1, memory_order_acquire))
            return;
    }
}

#ifdef RT_DEBUG

static const struct {
    const char *name;
    bool multi;
} ranks[] = {
    {"none", false},
#define X(name, multi) {#name, multi},
    LOCK_RANKS(X)
#undef X
};

enum { HELD_MAX = 256 };
static _Thread_local const struct lock *held[HELD_MAX];
static _Thread_local unsigned nheld;

void lockrank_acquire(const struct lock *l)
{
    RT_CHECK(l->rank > LOCK_RANK_NONE && l->rank < sizeof ranks / sizeof ranks[0]);
    for (unsigned i = 0; i < nheld && i < HELD_MAX; i++) {   /* of more, which a large select holds, it knows the first ones */
        bool in_order = held[i]->rank < l->rank || (held[i]->rank == l->rank && ranks[l->rank].multi && held[i] != l);
        if (!in_order)
            rt_throw(__FILE__, __LINE__, ranks[l->rank].name);
    }
    if (nheld < HELD_MAX)
        held[nheld] = l;
    nheld++;
}

void lockrank_release(const struct lock *l)
{
    for (unsigned i = nheld < HELD_MAX ? nheld : HELD_MAX; i-- > 0;) {
        if (held[i] == l) {
            for (; i + 1 < nheld && i + 1 < HELD_MAX; i++)
                held[i] = held[i + 1];
            nheld--;
            return;
        }
    }
    RT_CHECK(nheld > HELD_MAX);
    nheld--;
}

bool lock_is_held(const struct lock *l)
{
    for (unsigned i = 0; i < nheld && i < HELD_MAX; i++)
        if (held[i] == l)
            return true;
    return nheld > HELD_MAX;
}

#endif
