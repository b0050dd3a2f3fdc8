/* Semaphore: permits and a mark in one word, waiters in a queue in order of arrival (sema.c).
 *
 * Without the mark nobody waits, and acquire and release are one compare-and-swap on the permits. While WAITING is set the word changes
 * under the lock only: an acquire queues behind the others even if there are permits for it, so a large request is not starved by small
 * ones; a release adds its permits and gives out what it can, in order.
 *
 * Nobody touches the semaphore after the step that gave out permits, or that added them without a mark: who gets them may free it.
 *
 * A waiter that gives up may have held up smaller requests behind it: it gives out, too. Between its leaving the queue and that, the queue may
 * be empty with the mark set.
 *
 * Acquire pairs with release: the word's modifications form one release sequence, so an acquire sees what came before every release
 * of permits so far. */
#include <gort/sync.h>

#include "internal.h"

enum { WAITING = 1, SHIFT = 1 };
static const uint64_t PERMITS_MAX = INT64_MAX;

static struct waitq *queue_of(go_sem *s)
{
    return (struct waitq *)s->queue;
}

static uint64_t checked(int64_t n)
{
    if (rt_unlikely(n < 0)) {
        rt_enter();
        rt_panic("semaphore: negative number of permits");
    }
    return (uint64_t)n;
}

/* Takes n permits if nobody waits and there are as many. */
static bool take(go_sem *s, uint64_t n)
{
    uint64_t old = atomic_load_explicit(&s->state, memory_order_relaxed);
    while (!(old & WAITING) && old >> SHIFT >= n)
        if (atomic_compare_exchange_weak_explicit(&s->state, &old, old - (n << SHIFT), memory_order_acquire, memory_order_relaxed))
            return true;
    return false;
}

/* Gives permits to those first in line, and takes the mark away with the last. WAITING is set and the lock held. */
static struct g *give_out_locked(go_sem *s, uint64_t permits)
{
    struct waitq *q = queue_of(s);
    struct g *first = NULL, **last = &first;
    for (struct waiter *w; (w = q->first) && (uintptr_t)w->value <= permits;) {
        waitq_remove(q, w);
        permits -= (uintptr_t)w->value;
        w->success = true;
        *last = w->g;
        last = &w->g->next;
    }
    *last = NULL;
    atomic_store_explicit(&s->state, permits << SHIFT | (q->first ? WAITING : 0), memory_order_release);
    return first;
}

/* Under the lock: takes n permits if nobody is before us, else sees to it that WAITING is set. */
static bool take_locked(go_sem *s, uint64_t n)
{
    uint64_t old = atomic_load_explicit(&s->state, memory_order_relaxed), new;
    bool taken;
    do {
        taken = !queue_of(s)->first && old >> SHIFT >= n;
        new = taken ? old - (n << SHIFT) : old | WAITING;
    } while (!atomic_compare_exchange_weak_explicit(&s->state, &old, new, memory_order_acquire, memory_order_relaxed));
    return taken;
}

static rt_noinline bool acquire_slow(go_sem *s, uint64_t n, int64_t deadline)
{
    rt_enter();
    struct lock *l = sema_lock(s);
    bool got = take_locked(s, n);
    if (got) {
        unlock(l);
    } else {
        waitq_push(queue_of(s), sema_waiter(s, (void *)(uintptr_t)n));
        got = sema_park(l, s, queue_of(s), deadline, GORT_WAIT_SEM);
        if (!got) {
            struct g *ready = NULL;
            lock(l);
            uint64_t state = atomic_load_explicit(&s->state, memory_order_relaxed);
            if (state & WAITING)
                ready = give_out_locked(s, state >> SHIFT);
            unlock(l);
            rt_ready_all(rt_m(), ready);
        }
    }
    rt_leave();
    return got;
}

void go_sem_init(go_sem *s, int64_t n)
{
    uint64_t permits = checked(n);
    hook_sync_gone(s, sizeof *s);
    atomic_store_explicit(&s->state, permits << SHIFT, memory_order_relaxed);
    *queue_of(s) = (struct waitq){0};
}

void go_sem_acquire(go_sem *s, int64_t n)
{
    uint64_t permits = checked(n);
    if (!take(s, permits))
        acquire_slow(s, permits, TIMER_NEVER);
    hook_acquire(rt_race(), s);
}

bool go_sem_try_acquire(go_sem *s, int64_t n)
{
    bool got = take(s, checked(n));
    if (got)
        hook_acquire(rt_race(), s);
    return got;
}

bool go_sem_acquire_timeout(go_sem *s, int64_t n, int64_t ns)
{
    if (ns <= 0)
        return go_sem_try_acquire(s, n);
    uint64_t permits = checked(n);
    bool got = take(s, permits) || acquire_slow(s, permits, sema_deadline(ns));
    if (got)
        hook_acquire(rt_race(), s);
    return got;
}

static rt_noinline void release_slow(go_sem *s, uint64_t n)
{
    rt_enter();
    struct lock *l = sema_lock(s);
    uint64_t old = atomic_load_explicit(&s->state, memory_order_relaxed);
    struct g *ready = NULL;
    for (;;) {
        if (old & WAITING) {
            ready = give_out_locked(s, (old >> SHIFT) + n);
            break;
        }
        if (atomic_compare_exchange_weak_explicit(&s->state, &old, old + (n << SHIFT), memory_order_release, memory_order_relaxed))
            break;
    }
    unlock(l);
    rt_ready_all(rt_m(), ready);
    rt_leave();
}

void go_sem_release(go_sem *s, int64_t n)
{
    uint64_t permits = checked(n);
    hook_release_merge(rt_race(), s);
    uint64_t old = atomic_load_explicit(&s->state, memory_order_relaxed);
    do {
        if (rt_unlikely(permits > PERMITS_MAX - (old >> SHIFT))) {
            rt_enter();
            rt_panic("semaphore: too many permits");
        }
        if (old & WAITING) {
            release_slow(s, permits);
            return;
        }
    } while (!atomic_compare_exchange_weak_explicit(&s->state, &old, old + (permits << SHIFT), memory_order_release,
                                                    memory_order_relaxed));
}
