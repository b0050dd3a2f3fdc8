/* Once: one word. Who swaps NEW for RUNNING runs the function and swaps DONE in; who comes meanwhile marks the word with WAITERS and parks
 * (sema.c). The swap is the runner's last touch of the object: a caller that finds DONE may free it.
 *
 * The release of DONE pairs with the acquire load of every return. A function that ends by go_exit() counts as done, as in Go. */
#include <gort/goroutine.h>
#include <gort/sync.h>

#include "internal.h"

enum { NEW, RUNNING, WAITERS, DONE };

static void done(void *arg)
{
    go_once *o = arg;
    hook_release(rt_race(), o);
    if (atomic_exchange_explicit(&o->state, DONE, memory_order_acq_rel) != WAITERS)
        return;
    rt_enter();
    sema_wake(o, INT32_MAX, NULL);
    rt_leave();
}

static bool still_running(const void *addr)
{
    return atomic_load_explicit(&((const go_once *)addr)->state, memory_order_relaxed) == WAITERS;
}

static rt_noinline void once_do_slow(go_once *o, void (*fn)(void *arg), void *arg)
{
    uint32_t s = NEW;
    if (atomic_compare_exchange_strong_explicit(&o->state, &s, RUNNING, memory_order_acquire, memory_order_acquire)) {
        struct gort_deferred d = {.fn = done, .arg = o};
        gort_defer(&d);
        fn(arg);
        gort_run_deferred(&d);
        return;
    }
    rt_enter();
    for (; s != DONE; s = atomic_load_explicit(&o->state, memory_order_acquire)) {
        if (s == RUNNING &&
            !atomic_compare_exchange_strong_explicit(&o->state, &s, WAITERS, memory_order_relaxed, memory_order_relaxed))
            continue;
        if (sema_wait(o, still_running, false, GORT_WAIT_ONCE) != SEMA_NOT_PARKED)
            break;   /* woken means done, and the object may be gone */
    }
    rt_leave();
}

void go_once_do(go_once *o, void (*fn)(void *arg), void *arg)
{
    if (rt_unlikely(atomic_load_explicit(&o->state, memory_order_acquire) != DONE))
        once_do_slow(o, fn, arg);
    hook_acquire(rt_race(), o);
}
