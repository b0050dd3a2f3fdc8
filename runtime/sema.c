/* Where goroutines wait for sync primitives: a table of buckets with a lock each, found by the address of what is waited for.
 *
 * Objects that are one word or two (mutex, waitgroup, once) keep no queue: their waiters are in the bucket, the runtime's futex. A bucket
 * lists the first waiter of each address, and each of these leads to the others of its address in order, so goroutines that wait for
 * something else are never walked over, but for one step for each address in the bucket. sema_wait checks its condition under the
 * bucket's lock, and sema_wake dequeues under it, so a wake that follows a change of the condition can't be lost: either
 * the waiter sees the change, or the waker sees the waiter.
 *
 * Larger objects (rwmutex, cond, semaphore) have a waitq of their own and borrow the bucket's lock for it: a lock inside the object would
 * be touched by its unlock when the object may be gone already; in C, a goroutine that was let in may free it at once.
 *
 * A waiter with a timeout is in the queue and on a timer. Both who would wake it take the bucket's lock and look whether it is queued
 * still; so exactly one of them readies it. The timer is started when the goroutine is visibly parked, and stopped, or waited for, before
 * the waiter is used again. */
#define GORT_NO_INLINE
#include <gort/sync.h>

#include "internal.h"
#include "os.h"

enum { BUCKETS = GORT_MUTEX_BUCKETS };

static struct bucket {
    struct lock lock;        /* rank SEMA */
    struct waiter *first;    /* of each address; linked by next_key */
} __attribute__((aligned(RT_CACHE_LINE))) buckets[BUCKETS]
#ifdef RT_DEBUG
    = {[0 ... BUCKETS - 1] = {.lock = LOCK_INIT(SEMA)}}
#endif
;

static struct bucket *bucket_of(const void *addr)
{
    return &buckets[gort_mutex_bucket(addr)];
}

/* ---- queues by address ---- */

/* The link to the first waiter of addr; to NULL: it has none. */
static struct waiter **find_locked(struct bucket *b, const void *addr)
{
    RT_ASSERT(lock_is_held(&b->lock));
    struct waiter **link = &b->first;
    while (*link && (*link)->key != addr)
        link = &(*link)->next_key;
    return link;
}

static void put_locked(struct bucket *b, struct waiter *w, bool first)
{
    struct waiter **link = find_locked(b, w->key), *head = *link;
    w->queued = true;
    w->next = NULL;
    if (!head) {
        w->last = w;
        w->next_key = NULL;
        *link = w;
    } else if (first) {
        w->next = head;
        w->last = head->last;
        w->next_key = head->next_key;
        *link = w;
    } else {
        head->last->next = w;
        head->last = w;
    }
}

/* Takes out the waiter that *link, from find_locked, leads to. */
static struct waiter *take_locked(struct waiter **link)
{
    struct waiter *w = *link, *next = w->next;
    if (next) {
        next->last = w->last;
        next->next_key = w->next_key;
        *link = next;
    } else {
        *link = w->next_key;
    }
    w->queued = false;
    return w;
}

struct waiter *sema_waiter(const void *addr, void *value)
{
    struct waiter *w = &rt_m()->g->waiter;
    RT_ASSERT(!w->queued);
    w->key = addr;
    w->value = value;
    w->in_select = w->success = w->parked = false;
    return w;
}

enum sema_result sema_wait(const void *addr, bool (*still)(const void *addr), bool first, enum gort_wait_reason reason)
{
    struct bucket *b = bucket_of(addr);
    lock(&b->lock);
    if (!still(addr)) {
        unlock(&b->lock);
        return SEMA_NOT_PARKED;
    }
    struct waiter *w = sema_waiter(addr, NULL);
    put_locked(b, w, first);
    rt_park(&b->lock, reason, (const void *)((uintptr_t)addr & ~SEMA_MUTEX));
    return w->success ? SEMA_HANDED : SEMA_WOKEN;
}

int sema_wake(const void *addr, int n, bool (*locked)(void *addr, int woken, bool more))
{
    struct bucket *b = bucket_of(addr);
    struct g *first = NULL, **last = &first;
    int woken = 0;
    lock(&b->lock);
    struct waiter **link = find_locked(b, addr);
    while (woken < n && *link && (*link)->key == addr) {
        struct g *g = take_locked(link)->g;
        *last = g;
        last = &g->next;
        woken++;
    }
    *last = NULL;
    if (locked) {
        bool handed = locked((void *)(uintptr_t)addr, woken, *link && (*link)->key == addr);
        for (struct g *g = first; g; g = g->next)
            g->waiter.success = handed;
    }
    unlock(&b->lock);
    rt_ready_all(rt_m(), first);
    return woken;
}

bool sema_has_mutex_waiters(unsigned bucket)
{
    struct bucket *b = &buckets[bucket];
    RT_ASSERT(lock_is_held(&b->lock));
    for (struct waiter *w = b->first; w; w = w->next_key)
        if ((uintptr_t)w->key & SEMA_MUTEX)
            return true;
    return false;
}

/* ---- queues in objects ---- */

struct lock *sema_lock_bucket(unsigned bucket)
{
    lock(&buckets[bucket].lock);
    return &buckets[bucket].lock;
}

struct lock *sema_lock(const void *addr)
{
    return sema_lock_bucket(gort_mutex_bucket(addr));
}

int64_t sema_deadline(int64_t ns)
{
    int64_t now = os_now();
    return ns > TIMER_NEVER - 1 - now ? TIMER_NEVER - 1 : now + ns;
}

static void timed_out(struct m *m, struct timer *t)
{
    struct g *g = rt_container_of(t, struct g, timer);
    struct waiter *w = &g->waiter;
    struct lock *l = sema_lock(w->key);
    bool waits = w->queued;
    waitq_remove(g->timed_q, w);
    unlock(l);
    if (waits)
        rt_ready(m, g);
}

struct timed {
    struct lock *lock;
    const void *addr;
    int64_t deadline;
};

/* The goroutine is visibly parked: from here on the timer may ready it. */
static void parked(void *arg)
{
    struct timed *timed = arg;
    struct m *m = rt_m();
    struct g *g = m->g;
    g->wait_obj = (uintptr_t)timed->addr;
    g->timer.fn = timed_out;
    sched_timer_start(m, &g->timer, timed->deadline);
    unlock(timed->lock);
}

bool sema_park(struct lock *l, const void *addr, struct waitq *q, int64_t deadline, enum gort_wait_reason reason)
{
    struct g *g = rt_m()->g;
    g->waiter.parked = true;
    if (deadline == TIMER_NEVER) {
        rt_park(l, reason, addr);
    } else {
        struct timed timed = {l, addr, deadline};
        g->timed_q = q;
        rt_park_with(parked, &timed, reason);
        timer_stop(&g->timer);
    }
    return g->waiter.success;
}
