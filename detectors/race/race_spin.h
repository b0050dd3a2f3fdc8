/* The detector's lock: held for a few instructions, by whoever waits for nothing meanwhile. An atomic_flag, clear at first. */
#ifndef RACE_SPIN_H
#define RACE_SPIN_H

#include <sched.h>
#include <stdatomic.h>

/* Acquire pairs with the release of race_spin_unlock. */
static inline void race_spin_lock(atomic_flag *f)
{
    enum { PATIENCE = 50 };
    for (unsigned spins = 0; atomic_flag_test_and_set_explicit(f, memory_order_acquire); spins++) {
        if (spins < PATIENCE)
            __builtin_ia32_pause();
        else
            sched_yield();   /* the holder may have been taken off the processor */
    }
}

static inline void race_spin_unlock(atomic_flag *f)
{
    atomic_flag_clear_explicit(f, memory_order_release);
}

#endif
