/* Mutex: three states in one word, after Drepper's "Futexes Are Tricky", with goroutines parked where threads would sleep.
 *
 * 0 free, 1 locked, 2 locked and a goroutine may wait. Who has waited takes it with 2, since others may wait still; an unlock that finds 2
 * wakes one. The waker leaves the word free, so a goroutine that is just running may take it first: that is what makes a contended
 * mutex fast. Acquire on taking pairs with release on freeing. */
#include <gort/sync.h>

#include "internal.h"

enum { FREE, LOCKED, CONTENDED };

static bool still_contended(const void *addr, void *arg)
{
    (void)arg;
    return atomic_load_explicit(&((go_mutex *)(uintptr_t)addr)->state, memory_order_relaxed) == CONTENDED;
}

static rt_noinline void lock_contended(go_mutex *m)
{
    rt_enter();
    for (int i = 0; i < 4; i++) {   /* a short while: the holder may be about to unlock on another processor */
        for (int k = 0; k < 30; k++)
            ctx_pause();
        uint32_t free = FREE;
        if (atomic_load_explicit(&m->state, memory_order_relaxed) == FREE &&
            atomic_compare_exchange_strong_explicit(&m->state, &free, LOCKED, memory_order_acquire, memory_order_relaxed)) {
            rt_leave();
            return;
        }
    }
    while (atomic_exchange_explicit(&m->state, CONTENDED, memory_order_acquire) != FREE)
        sema_wait(m, still_contended, NULL, GORT_WAIT_MUTEX);
    rt_leave();
}

void go_mutex_lock(go_mutex *m)
{
    uint32_t free = FREE;
    if (rt_unlikely(!atomic_compare_exchange_strong_explicit(&m->state, &free, LOCKED, memory_order_acquire, memory_order_relaxed)))
        lock_contended(m);
    hook_acquire(rt_race(), m);
}

bool go_mutex_try_lock(go_mutex *m)
{
    uint32_t free = FREE;
    bool locked = atomic_compare_exchange_strong_explicit(&m->state, &free, LOCKED, memory_order_acquire, memory_order_relaxed);
    if (locked)
        hook_acquire(rt_race(), m);
    return locked;
}

void go_mutex_unlock(go_mutex *m)
{
    hook_release(rt_race(), m);   /* the holder has acquired all that was there */
    uint32_t was = atomic_exchange_explicit(&m->state, FREE, memory_order_release);
    if (rt_likely(was == LOCKED))
        return;
    rt_enter();
    if (was == FREE)
        rt_fatal("sync: unlock of unlocked mutex");
    sema_wake(m, 1, NULL, NULL);
    rt_leave();
}
