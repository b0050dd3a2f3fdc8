/* WaitGroup: counter and number of waiters in one word.
 *
 * A waiter counts itself in under the lock of its wait queue (sema.c), with a compare-and-swap that fails if the counter has become
 * zero. Who brings the counter to zero and finds waiters takes that lock, resets the word and wakes them all. Once the word
 * is wholly zero nobody touches the WaitGroup's memory any more, so a waiter may free it right after: hence a waiter that finds the
 * counter zero but waiters still counted joins them instead of returning.
 *
 * Use for a next round before the waits of the last one have returned is detected as in Go, by a look at the word after the wake; but
 * only a waiter that was alone may look: of several, another may have freed the memory. */
#include <gort/goroutine.h>
#include <gort/sync.h>

#include "internal.h"

static int32_t counter_of(uint64_t state)
{
    return (int32_t)(state >> 32);
}

static rt_noinline _Noreturn void misuse(void)
{
    rt_panic("sync: WaitGroup misuse: Add called concurrently with Wait");
}

/* Under the queue's lock, when all waiters have been taken out. Whether there was one alone. */
static bool reset(void *addr, int woken, bool more)
{
    (void)more;
    atomic_store_explicit(&((go_waitgroup *)addr)->state, 0, memory_order_release);
    return woken == 1;
}

void waitgroup_add(go_waitgroup *wg, int n, const void *pc)
{
    if (n < 0)
        hook_release_part(rt_race(), wg);
    uint64_t delta = (uint64_t)(uint32_t)n << 32;
    uint64_t state = atomic_fetch_add_explicit(&wg->state, delta, memory_order_acq_rel) + delta;
    if (HOOK_IS_ON && n > 0 && counter_of(state) == n)
        hook_use(rt_race(), wg, HOOK_WAITGROUP_LIFT, pc);
    (void)pc;
    if (rt_likely((uint32_t)state == 0 && counter_of(state) >= 0))
        return;
    rt_enter();
    if (counter_of(state) < 0)
        rt_panic("sync: negative WaitGroup counter");
    if (n > 0 && counter_of(state) == n)   /* the counter was zero, and its waiters are being let go */
        misuse();
    if (counter_of(state) == 0 && n != 0)   /* who only looked does not let go what another has brought to zero */
        sema_wake(wg, INT32_MAX, reset);
    rt_leave();
}

void go_waitgroup_add(go_waitgroup *wg, int n)
{
    waitgroup_add(wg, n, __builtin_return_address(0));
}

void go_waitgroup_done(go_waitgroup *wg)
{
    go_waitgroup_add(wg, -1);
}

/* Under the queue's lock: counts the caller in, unless there is nothing to wait for. */
static bool count_in(const void *addr)
{
    go_waitgroup *wg = (go_waitgroup *)(uintptr_t)addr;
    uint64_t state = atomic_load_explicit(&wg->state, memory_order_acquire);
    do {
        if (state == 0)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&wg->state, &state, state + 1, memory_order_acq_rel, memory_order_acquire));
    return true;
}

void waitgroup_wait(go_waitgroup *wg, const void *pc)
{
    hook_use(rt_race(), wg, HOOK_WAITGROUP_WAIT, pc);
    (void)pc;
    if (atomic_load_explicit(&wg->state, memory_order_acquire) != 0) {
        rt_enter();
        bool alone = sema_wait(wg, count_in, false, GORT_WAIT_WAITGROUP) == SEMA_HANDED;
        if (alone && atomic_load_explicit(&wg->state, memory_order_relaxed) != 0)
            rt_panic("sync: WaitGroup is reused before previous Wait has returned");
        rt_leave();
    }
    hook_acquire(rt_race(), wg);
}

void go_waitgroup_wait(go_waitgroup *wg)
{
    waitgroup_wait(wg, __builtin_return_address(0));
}

/* What a goroutine started by go_waitgroup_go() runs. It is done however fn ends. */
static void done_on_exit(void *wg)
{
    go_waitgroup_done(wg);
}

void gort_waitgroup_run(go_waitgroup *wg, void (*fn)(void *arg), void *arg)
{
    struct gort_deferred d = {.fn = done_on_exit, .arg = wg};
    gort_defer(&d);
    fn(arg);
    gort_run_deferred(&d);
}
