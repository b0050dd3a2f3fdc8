/* Cond: a queue of waiters under the lock of its address's bucket (sema.c).
 *
 * A wait queues itself before it unlocks the mutex, so a signal that follows a change made under the mutex finds it, and parks
 * afterwards, unless it has been taken out already. A signal takes the first out; `parked` says whether there is a goroutine to ready
 * or one that will see for itself. First come, first served; nobody is woken who was not signalled.
 *
 * For the race detector a signal happens before the return of the very wait that it ends (not of others): the two meet at an address of the
 * waiting goroutine's own. Whatever the mutex orders comes on top. */
#include <gort/sync.h>

#include "internal.h"

static struct waitq *queue_of(go_cond *c)
{
    return (struct waitq *)c->queue;
}

/* deadline 0: does not park at all. pc: of the program's call. */
static bool cond_wait(go_cond *c, go_mutex *mu, int64_t deadline, const void *pc)
{
    rt_enter();
    struct lock *l = sema_lock(c);
    struct waiter *w = sema_waiter(c, NULL);
    waitq_push(queue_of(c), w);
    unlock(l);
    rt_leave();
    go_mutex_unlock(mu);
    rt_enter();
    lock(l);
    if (w->queued && deadline != 0) {
        sema_park(l, c, queue_of(c), deadline, GORT_WAIT_COND);
    } else {
        waitq_remove(queue_of(c), w);
        unlock(l);
    }
    bool signalled = w->success;
    if (signalled) {
        hook_acquire(rt_race(), w);
        hook_sync_gone(w, 8);
    }
    rt_leave();
    if (HOOK_IS_ON)
        rt_mutex_lock_at(mu, pc);
    else
        go_mutex_lock(mu);
    return signalled;
}

void go_cond_wait(go_cond *c, go_mutex *m)
{
    cond_wait(c, m, TIMER_NEVER, __builtin_return_address(0));
}

bool go_cond_wait_timeout(go_cond *c, go_mutex *m, int64_t ns)
{
    return cond_wait(c, m, ns > 0 ? sema_deadline(ns) : 0, __builtin_return_address(0));
}

static void wake(go_cond *c, bool all)
{
    struct g *first = NULL, **last = &first;
    struct waiter *w;
    rt_enter();
    struct lock *l = sema_lock(c);
    while ((w = waitq_pop(queue_of(c)))) {
        hook_release(rt_race(), w);
        w->success = true;
        if (w->parked) {
            *last = w->g;
            last = &w->g->next;
        }
        if (!all)
            break;
    }
    *last = NULL;
    unlock(l);
    rt_ready_all(rt_m(), first);
    rt_leave();
}

void go_cond_signal(go_cond *c)
{
    wake(c, false);
}

void go_cond_broadcast(go_cond *c)
{
    wake(c, true);
}
