/* Error groups: a waitgroup, the first error, and a number of places.
 *
 * With a limit a goroutine takes a place by compare-and-swap; who finds none waits in sema.c's queue of `active`, and each end
 * of a goroutine wakes one after it has given its place back. The queue's condition is looked at under the queue's lock, so no
 * wake is lost; a newcomer may take the place first, then the one woken waits again. The waitgroup's done comes last: after it
 * the group may be gone. */
#include <gort/errgroup.h>
#include <gort/goroutine.h>

#include "internal.h"

static bool is_full(const go_errgroup *g, uint32_t active)
{
    return g->limit != 0 && active >= g->limit - 1;
}

static bool still_full(const void *addr)
{
    const go_errgroup *g = rt_container_of(addr, const go_errgroup, active);
    return is_full(g, atomic_load_explicit(&g->active, memory_order_relaxed));
}

/* The first n of a group limited to n find their places empty; for the others somebody has ended, and comes before them. For the race
 * detector: which one it was is not known, so all that have ended. */
static void follow(go_errgroup *g)
{
    uint32_t begun = atomic_load_explicit(&g->begun, memory_order_relaxed);
    while (begun < g->limit - 1)
        if (atomic_compare_exchange_weak_explicit(&g->begun, &begun, begun + 1, memory_order_relaxed, memory_order_relaxed))
            return;
    hook_acquire(rt_race(), &g->active);
}

/* Acquire pairs with the release in leave(): a place is passed on with all that was done in it. */
static bool take_place(go_errgroup *g)
{
    uint32_t active = atomic_load_explicit(&g->active, memory_order_relaxed);
    do {
        if (is_full(g, active))
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&g->active, &active, active + 1, memory_order_acquire, memory_order_relaxed));
    if (g->limit)
        follow(g);
    return true;
}

static void leave(void *arg)
{
    go_errgroup *g = arg;
    bool limited = g->limit != 0;
    if (limited)
        hook_release_merge(rt_race(), &g->active);
    atomic_fetch_sub_explicit(&g->active, 1, memory_order_release);
    if (limited) {
        rt_enter();
        sema_wake(&g->active, 1, NULL);
        rt_leave();
    }
    go_waitgroup_done(&g->running);
}

static void gort_errgroup_run(go_errgroup *g, int (*fn)(void *arg), void *arg)
{
    struct gort_deferred d = {.fn = leave, .arg = g};   /* a function that ends by go_exit() has left, without an error */
    gort_defer(&d);
    int err = fn(arg), none = 0;
    if (err && atomic_compare_exchange_strong_explicit(&g->err, &none, err, memory_order_relaxed, memory_order_relaxed) && g->context)
        go_context_cancel_cause(g->context, err);
    gort_run_deferred(&d);
}

/* pc: where the program called us. */
static void start(go_errgroup *g, int (*fn)(void *arg), void *arg, const void *pc)
{
    waitgroup_add(&g->running, 1, pc);
    struct m *m = rt_enter();
    g_spawn(m, &(struct g_spawn){.fn = (uintptr_t)gort_errgroup_run, .arg = {(uintptr_t)g, (uintptr_t)fn, (uintptr_t)arg}, .parent_id = m->g->id,
                                 .create_pc = (uintptr_t)pc, .parent = HOOK_RACE_G(m->g), .labels = m->g->labels});
    rt_leave();
}

go_context *go_errgroup_with_context(go_errgroup *g, go_context *parent)
{
    *g = (go_errgroup)GO_ERRGROUP_INIT;
    return g->context = go_context_with_cancel(parent);
}

void go_errgroup_set_limit(go_errgroup *g, int n)
{
    uint32_t active = atomic_load_explicit(&g->active, memory_order_relaxed);
    if (active) {
        rt_enter();
        rt_panic("errgroup: modify limit while %u goroutines in the group are still active", active);
    }
    g->limit = n < 0 ? 0 : (uint32_t)n + 1;
    atomic_store_explicit(&g->begun, 0, memory_order_relaxed);
}

void go_errgroup_go(go_errgroup *g, int (*fn)(void *arg), void *arg)
{
    while (!take_place(g)) {
        rt_enter();
        sema_wait(&g->active, still_full, false, GORT_WAIT_ERRGROUP);
        rt_leave();
    }
    start(g, fn, arg, __builtin_return_address(0));
}

bool go_errgroup_try_go(go_errgroup *g, int (*fn)(void *arg), void *arg)
{
    if (!take_place(g))
        return false;
    start(g, fn, arg, __builtin_return_address(0));
    return true;
}

int go_errgroup_wait(go_errgroup *g)
{
    waitgroup_wait(&g->running, __builtin_return_address(0));
    int err = atomic_load_explicit(&g->err, memory_order_relaxed);   /* ordered by the waitgroup */
    if (g->context)
        go_context_cancel_cause(g->context, err);
    return err;
}
