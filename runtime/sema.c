/* Wait queues keyed by address, under every sync primitive: the runtime's futex. A table of buckets, each with a lock and a FIFO
 * of waiters of any address that falls there. sema_wait checks its condition under the bucket's lock, and sema_wake dequeues under
 * it, so a wake that follows a change of the condition can't be lost: either the waiter sees the change, or the waker sees the waiter. */
#include "internal.h"

enum { BUCKETS = 256 };

static struct bucket {
    struct lock lock;   /* rank SEMA */
    struct waitq q;
} __attribute__((aligned(RT_CACHE_LINE))) buckets[BUCKETS]
#ifdef RT_DEBUG
    = {[0 ... BUCKETS - 1] = {.lock = LOCK_INIT(SEMA)}}
#endif
;

static struct bucket *bucket_of(const void *addr)
{
    uint64_t h = (uintptr_t)addr * 0x9e3779b97f4a7c15u;
    return &buckets[h >> 56];
}

bool sema_wait(const void *addr, bool (*still)(const void *addr, void *arg), void *arg, enum gort_wait_reason reason)
{
    struct bucket *b = bucket_of(addr);
    lock(&b->lock);
    if (!still(addr, arg)) {
        unlock(&b->lock);
        return false;
    }
    struct waiter *w = &rt_m()->g->waiter;
    w->key = addr;
    w->in_select = false;
    waitq_push(&b->q, w);
    rt_park(&b->lock, reason, addr);
    return true;
}

int sema_wake(const void *addr, int n, void (*locked)(void *arg), void *arg)
{
    struct bucket *b = bucket_of(addr);
    struct g *first = NULL, **last = &first;
    int woken = 0;
    lock(&b->lock);
    if (locked)
        locked(arg);
    for (struct waiter *w = b->q.first, *next; w && woken < n; w = next) {
        next = w->next;
        if (w->key != addr)
            continue;
        waitq_remove(&b->q, w);
        *last = w->g;
        last = &w->g->next;
        woken++;
    }
    *last = NULL;
    unlock(&b->lock);
    while (first) {
        struct g *g = first;
        first = g->next;
        rt_ready(rt_m(), g);
    }
    return woken;
}
