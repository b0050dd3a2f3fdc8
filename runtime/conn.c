/* Slots for open descriptors. See conn.h. */
#include "conn.h"

#include <errno.h>

#include <gort/error.h>

#include "internal.h"
#include "os.h"
#include "os_net.h"

enum { SLAB_CONNS = 1024, SLABS_MAX = 4096 };   /* 4 Mi open descriptors */

static struct {
    struct lock lock;
    struct conn *first, *last;       /* free slots, first in first out: a generation is not soon used again */
    unsigned used;                   /* slots ever handed out */
    _Atomic(struct conn *) slabs[SLABS_MAX];
} pool = {.lock = LOCK_INIT(CONN)};

static uint64_t generation(uint64_t state)
{
    return state >> 32;
}

static uint64_t references(uint64_t state)
{
    return (uint32_t)state >> 8;
}

static uint64_t handle_of(const struct conn *c, uint64_t state)
{
    return generation(state) << 32 | (c->index + 1024);   /* small numbers are the poller's tags */
}

static struct conn *slot(uint64_t handle)
{
    uint32_t i = (uint32_t)handle - 1024;
    if (i >= SLAB_CONNS * SLABS_MAX)
        return NULL;
    struct conn *slab = atomic_load_explicit(&pool.slabs[i / SLAB_CONNS], memory_order_acquire);
    return slab ? &slab[i % SLAB_CONNS] : NULL;
}

static struct conn *slot_new_locked(void)
{
    unsigned slab = pool.used / SLAB_CONNS;
    if (slab == SLABS_MAX)
        return NULL;
    if (pool.used % SLAB_CONNS == 0) {
        struct conn *conns = os_map(SLAB_CONNS * sizeof(struct conn));
        if (!conns)
            return NULL;
        atomic_store_explicit(&pool.slabs[slab], conns, memory_order_release);
    }
    struct conn *c = &pool.slabs[slab][pool.used % SLAB_CONNS];
    c->index = pool.used++;
    return c;
}

uint64_t conn_open(int fd, unsigned kind, int *err)
{
    int started = netpoll_start();
    if (started < 0) {
        *err = started;
        return 0;
    }
    lock(&pool.lock);
    struct conn *c = pool.first;
    if (c) {
        pool.first = c->next_free;
        if (!pool.first)
            pool.last = NULL;
    } else {
        c = slot_new_locked();
    }
    unlock(&pool.lock);
    if (!c) {
        *err = -ENOMEM;
        return 0;
    }
    c->fd = fd;
    c->kind = kind;
    c->drained = false;
    if (HOOK_IS_ON)
        c->io_key = os_shared_key(fd);
    poll_desc_init(&c->pd);
    uint64_t state = (generation(atomic_load_explicit(&c->state, memory_order_relaxed)) + 1) << 32 | CONN_REF;
    if ((uint32_t)(state >> 32) == 0)
        state |= (uint64_t)1 << 32;
    atomic_store_explicit(&c->state, state, memory_order_release);
    uint64_t handle = handle_of(c, state);
    int e = netpoll_add(fd, handle);
    if (e < 0) {
        c->fd = -1;   /* still the caller's */
        conn_close(handle);
        *err = e == -EPERM ? GO_ERR_NOT_POLLABLE : e;   /* a regular file or the like */
        return 0;
    }
    return handle;
}

struct poll_desc *conn_poll_desc(uint64_t handle)
{
    struct conn *c = slot(handle);
    return c && generation(atomic_load_explicit(&c->state, memory_order_acquire)) == generation(handle) ? &c->pd : NULL;
}

/* ---- references and rights ---- */

static unsigned waited_of(unsigned mode)
{
    return mode == CONN_READING ? CONN_READ_WAITED : CONN_WRITE_WAITED;
}

static struct waitq *queue_of(struct conn *c, unsigned mode)
{
    return &c->right[mode == CONN_WRITING];
}

/* Under the lock: whether the right is taken still; if so its holder is told that somebody waits. */
static bool is_held_locked(struct conn *c, uint64_t handle, unsigned mode)
{
    uint64_t s = atomic_load_explicit(&c->state, memory_order_acquire);
    do {
        if (generation(s) != generation(handle) || s & CONN_CLOSED || !(s & mode))
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&c->state, &s, s | waited_of(mode), memory_order_acq_rel, memory_order_acquire));
    return true;
}

static rt_noinline void wait_for_right(struct conn *c, uint64_t handle, unsigned mode)
{
    rt_enter();
    struct lock *l = sema_lock(c);
    if (is_held_locked(c, handle, mode)) {
        waitq_push(queue_of(c, mode), sema_waiter(c, NULL));
        sema_park(l, c, queue_of(c, mode), TIMER_NEVER, GORT_WAIT_IO);
    } else {
        unlock(l);
    }
    rt_leave();
}

/* Wakes all who wait for a right: they are few, and each that loses again says so again. */
static void wake_waiters(struct conn *c, unsigned mode)
{
    struct g *first = NULL, **last = &first;
    struct lock *l = sema_lock(c);
    for (struct waiter *w; (w = waitq_pop(queue_of(c, mode)));) {
        *last = w->g;
        last = &w->g->next;
    }
    *last = NULL;
    unlock(l);
    rt_ready_all(rt_m(), first);
}

/* The rights are locks: who gets one has seen what its last holder did. */
static void seen(struct conn *c, unsigned modes)
{
    if (HOOK_IS_ON && modes & CONN_READING)
        hook_acquire(rt_race(), queue_of(c, CONN_READING));
    if (HOOK_IS_ON && modes & CONN_WRITING)
        hook_acquire(rt_race(), queue_of(c, CONN_WRITING));
}

static void shown(struct conn *c, unsigned modes)
{
    if (HOOK_IS_ON && modes & CONN_READING)
        hook_release_merge(rt_race(), queue_of(c, CONN_READING));
    if (HOOK_IS_ON && modes & CONN_WRITING)
        hook_release_merge(rt_race(), queue_of(c, CONN_WRITING));
}

struct conn *conn_get(uint64_t handle, unsigned modes)
{
    struct conn *c = slot(handle);
    if (rt_unlikely(!c))
        return NULL;
    uint64_t s = atomic_load_explicit(&c->state, memory_order_acquire);
    for (;;) {
        if (rt_unlikely(generation(s) != generation(handle) || s & CONN_CLOSED))
            return NULL;
        if (rt_unlikely(s & modes)) {
            wait_for_right(c, handle, s & modes & CONN_READING ? CONN_READING : CONN_WRITING);
            s = atomic_load_explicit(&c->state, memory_order_acquire);
            continue;
        }
        if (rt_unlikely(references(s) == 0xffffff))
            rt_panic("too many concurrent operations on a single file or socket (max 16777214)");
        if (atomic_compare_exchange_weak_explicit(&c->state, &s, (s | modes) + CONN_REF, memory_order_acq_rel, memory_order_acquire)) {
            seen(c, modes);
            return c;
        }
    }
}

static rt_noinline void finish(struct conn *c)
{
    /* A poller that looks at the descriptor just now keeps it open for a moment longer, unless it is told first. */
    if (c->fd >= 0 && c->kind & CONN_IS_BOUND)
        netpoll_remove(c->fd);
    if (c->fd >= 0)
        os_close(c->fd);
    c->fd = -1;
    hook_sync_gone(c->right, sizeof c->right);
    lock(&pool.lock);
    c->next_free = NULL;
    if (pool.last)
        pool.last->next_free = c;
    else
        pool.first = c;
    pool.last = c;
    unlock(&pool.lock);
}

void conn_put(struct conn *c, unsigned modes)
{
    uint64_t s = atomic_load_explicit(&c->state, memory_order_relaxed), next;
    unsigned waited = (modes & CONN_READING ? CONN_READ_WAITED : 0) | (modes & CONN_WRITING ? CONN_WRITE_WAITED : 0);
    shown(c, modes);
    do
        next = (s & ~(uint64_t)(modes | waited)) - CONN_REF;
    while (!atomic_compare_exchange_weak_explicit(&c->state, &s, next, memory_order_acq_rel, memory_order_relaxed));
    if (rt_unlikely(s & waited)) {
        rt_enter();
        if (s & waited & CONN_READ_WAITED)
            wake_waiters(c, CONN_READING);
        if (s & waited & CONN_WRITE_WAITED)
            wake_waiters(c, CONN_WRITING);
        rt_leave();
    }
    if (rt_unlikely(references(next) == 0)) {
        finish(c);
    } else if (rt_unlikely(next & CONN_CLOSE_WAITED && references(next) == 1)) {
        rt_enter();
        sema_wake(&c->state, 1, NULL);
        rt_leave();
    }
}

struct conn *conn_close_begin(uint64_t handle)
{
    struct conn *c = slot(handle);
    uint64_t s = c ? atomic_load_explicit(&c->state, memory_order_acquire) : 0;
    do {
        if (!c || generation(s) != generation(handle) || s & CONN_CLOSED)
            return NULL;
    } while (!atomic_compare_exchange_weak_explicit(&c->state, &s, s | CONN_CLOSED, memory_order_acq_rel, memory_order_acquire));
    return c;
}

/* Under the queue's lock: whether others than the closer have a reference; if so the last of them is told that it waits. */
static bool others_at_work(const void *addr)
{
    _Atomic(uint64_t) *state = (_Atomic(uint64_t) *)(uintptr_t)addr;
    uint64_t s = atomic_load_explicit(state, memory_order_acquire);
    do {
        if (references(s) == 1)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(state, &s, s | CONN_CLOSE_WAITED, memory_order_acq_rel, memory_order_acquire));
    return true;
}

void conn_close_end(struct conn *c)
{
    rt_enter();
    netpoll_evict(&c->pd);
    wake_waiters(c, CONN_READING);
    wake_waiters(c, CONN_WRITING);
    while (references(atomic_load_explicit(&c->state, memory_order_acquire)) > 1)   /* a wake may have been meant for the slot's last closer */
        sema_wait(&c->state, others_at_work, false, GORT_WAIT_IO);
    rt_leave();
    conn_put(c, 0);
}

int conn_close(uint64_t handle)
{
    struct conn *c = conn_close_begin(handle);
    if (!c)
        return GO_ERR_CLOSED;
    conn_close_end(c);
    return 0;
}

/* ---- waiting ---- */

int conn_error(enum poll_result r)
{
    return r == POLL_OK ? 0 : r == POLL_TIMEOUT ? GO_ERR_TIMEOUT : GO_ERR_CLOSED;
}

int conn_wait(struct conn *c, enum poll_mode mode)
{
    rt_enter();
    enum poll_result r = netpoll_wait(&c->pd, mode);
    rt_leave();
    return conn_error(r);
}
