/* Channels. Invariants and the idea are in chan.h; the public contract in gort/chan.h. */
#include "chan.h"

#include <stdlib.h>

#include <gort/time.h>

#include "os.h"

/* ---- make, free ---- */

/* The detector has a place for each slot; but elements of no bytes, which a program may have room for by the billion, share these many. */
enum { PASSES_MAX = 1 << 20 };

static size_t passes(size_t elem_size, size_t cap)
{
    return elem_size == 0 && cap > PASSES_MAX ? PASSES_MAX : cap;
}

static size_t chan_bytes(size_t elem_size, size_t cap)
{
    return sizeof(struct gort_chan) + (cap * elem_size + 15) / 16 * 16 + HOOK_CHAN_BYTES(passes(elem_size, cap));
}

void *gort_chan_make(size_t elem_size, int64_t cap)
{
    if (cap < 0 || elem_size > UINT32_MAX || (uint64_t)cap > (uint64_t)(INT64_MAX / 2) / (elem_size + 16))
        rt_panic("makechan: size out of range");
    size_t n = (size_t)cap;
    hook_ignore_begin();
    struct gort_chan *c = calloc(1, chan_bytes(elem_size, n));
    hook_ignore_end();
    if (!c)
        rt_fatal("makechan: out of memory (%zu elements of %zu bytes)", n, elem_size);
    lock_init(&c->lock, CHAN);
    c->elem_size = (uint32_t)elem_size;
    c->cap = n;
    c->buf = (char *)(c + 1);
    c->sync = (struct hook_pass *)(c->buf + (n * elem_size + 15) / 16 * 16);
    return c;
}

void gort_chan_free(struct gort_chan *c)
{
    if (!c)
        return;
    timer_stop(&c->timer);
    lock(&c->lock);
    bool in_use = c->senders.first || c->receivers.first;
    unlock(&c->lock);
    if (in_use)
        rt_fatal("free of a channel in use");
    hook_sync_gone(c, sizeof *c);
    hook_passes_gone(c->sync, passes(c->elem_size, c->cap));
    hook_uses_gone(HOOK_CHAN_USES(c));
    hook_ignore_begin();
    free(c);
    hook_ignore_end();
}

/* ---- the buffer ---- */

static char *slot(struct gort_chan *c, size_t i)
{
    return c->buf + i * c->elem_size;
}

static size_t after(struct gort_chan *c, size_t i)
{
    return i + 1 == c->cap ? 0 : i + 1;
}

/* g passes slot i: it sees who passed before, and the next one will see it. */
static void pass_slot(struct gort_chan *c, size_t i, struct g *g)
{
    if (!g)
        return;
    struct hook_pass *p = &c->sync[c->elem_size == 0 ? i % PASSES_MAX : i];
    if (c->of_timer)
        hook_pass_see(HOOK_RACE_G(g), p);
    else
        hook_pass(HOOK_RACE_G(g), p);
}

/* Two goroutines meet on an unbuffered channel: each sees what the other did before. */
static void meet(struct g *a, struct g *b)
{
    if (a)
        hook_meet(HOOK_RACE_G(a), HOOK_RACE_G(b));
    (void)b;
}

static struct g *waiter_done(struct waiter *w, bool success)
{
    w->success = success;
    w->g->woken_by = w;
    return w->g;
}

static void copy_out(struct gort_chan *c, void *to, const void *from)
{
    if (to)
        rt_copy(to, from, c->elem_size);
}

/* ---- one attempt ---- */

/* Into each operation its own copy: a call for each element is a tenth of what it costs. */
static inline __attribute__((always_inline)) enum chan_result send_one(struct gort_chan *c, struct g *g, const void *v, struct g **wake)
{
    RT_ASSERT(lock_is_held(&c->lock));
    *wake = NULL;
    if (rt_unlikely(c->closed))
        return CHAN_CLOSED;
    struct waiter *w = waitq_pop(&c->receivers);
    if (w) {
        if (c->cap == 0) {
            meet(g, w->g);
        } else {   /* as if through the buffer, which is empty */
            pass_slot(c, c->send_index, g);
            pass_slot(c, c->send_index, w->g);
            c->send_index = c->recv_index = after(c, c->send_index);
        }
        copy_out(c, w->value, v);
        *wake = waiter_done(w, true);
        return CHAN_DONE;
    }
    if (c->count < c->cap) {
        pass_slot(c, c->send_index, g);
        rt_copy(slot(c, c->send_index), v, c->elem_size);
        c->send_index = after(c, c->send_index);
        __atomic_store_n(&c->count, c->count + 1, __ATOMIC_RELAXED);
        return CHAN_DONE;
    }
    return CHAN_WOULD_BLOCK;
}

static inline __attribute__((always_inline)) enum chan_result recv_one(struct gort_chan *c, struct g *g, void *v, struct g **wake)
{
    RT_ASSERT(lock_is_held(&c->lock));
    *wake = NULL;
    if (c->count > 0) {
        size_t i = c->recv_index;
        pass_slot(c, i, g);
        copy_out(c, v, slot(c, i));
        c->recv_index = after(c, i);
        struct waiter *w = waitq_pop(&c->senders);
        if (w) {   /* the buffer was full: the slot just emptied is the next to be filled */
            pass_slot(c, i, w->g);
            rt_copy(slot(c, i), w->value, c->elem_size);
            c->send_index = c->recv_index;
            *wake = waiter_done(w, true);
        } else {
            __atomic_store_n(&c->count, c->count - 1, __ATOMIC_RELAXED);
        }
        return CHAN_DONE;
    }
    struct waiter *w = waitq_pop(&c->senders);
    if (w) {
        meet(g, w->g);
        copy_out(c, v, w->value);
        *wake = waiter_done(w, true);
        return CHAN_DONE;
    }
    if (c->closed) {
        if (v)
            rt_zero(v, c->elem_size);
        return CHAN_CLOSED;
    }
    return CHAN_WOULD_BLOCK;
}

enum chan_result chan_send_locked(struct gort_chan *c, struct g *g, const void *v, struct g **wake)
{
    return send_one(c, g, v, wake);
}

enum chan_result chan_recv_locked(struct gort_chan *c, struct g *g, void *v, struct g **wake)
{
    return recv_one(c, g, v, wake);
}

void chan_received(struct gort_chan *c, struct g *g, void *v, bool success, const void *pc)
{
    if (!success)
        hook_acquire(HOOK_RACE_G(g), c);
    if (v)
        hook_write(HOOK_RACE_G(g), v, c->elem_size, pc);
    (void)g;
    (void)c;
}

/* ---- operations ---- */

static _Noreturn void park_for_ever(enum gort_wait_reason reason)
{
    rt_park(NULL, reason, NULL);
    rt_throw(__FILE_NAME__, __LINE__, "a goroutine woke from a nil channel");
}

static struct waiter *park_on(struct m *m, struct gort_chan *c, struct waitq *q, void *v, enum gort_wait_reason reason)
{
    struct waiter *w = &m->g->waiter;
    w->value = v;
    w->key = c;
    w->in_select = false;
    waitq_push(q, w);
    rt_park(&c->lock, reason, c);
    return w;
}

void chan_used(struct gort_chan *c, struct g *g, bool closes, const void *pc)
{
    if (rt_likely(!hook_chan_use(HOOK_RACE_G(g), HOOK_CHAN_USES(c), closes, pc)))
        return;
    unlock(&c->lock);
    hook_chan_use_report(HOOK_RACE_G(g), c);
    lock(&c->lock);
}

void gort_chan_send(struct gort_chan *c, const void *v)
{
    struct m *m = rt_enter();
    if (rt_unlikely(c == NULL))
        park_for_ever(GORT_WAIT_CHAN_SEND_NIL);
    struct g *wake;
    lock(&c->lock);
    chan_used(c, m->g, false, __builtin_return_address(0));
    enum chan_result r = send_one(c, m->g, v, &wake);
    if (r == CHAN_WOULD_BLOCK) {
        struct waiter *w = park_on(m, c, &c->senders, (void *)(uintptr_t)v, GORT_WAIT_CHAN_SEND);
        if (!w->success)
            rt_panic("send on closed channel");
        rt_leave();
        return;
    }
    unlock(&c->lock);
    if (rt_unlikely(r == CHAN_CLOSED))
        rt_panic("send on closed channel");
    if (wake)
        rt_ready(m, wake);
    rt_leave();
}

bool gort_chan_recv(struct gort_chan *c, void *v)
{
    struct m *m = rt_enter();
    if (rt_unlikely(c == NULL))
        park_for_ever(GORT_WAIT_CHAN_RECV_NIL);
    struct g *g = m->g, *wake;
    lock(&c->lock);
    enum chan_result r = recv_one(c, g, v, &wake);
    bool success = r == CHAN_DONE;
    if (r == CHAN_WOULD_BLOCK) {
        success = park_on(m, c, &c->receivers, v, GORT_WAIT_CHAN_RECV)->success;
        if (!success && v)
            rt_zero(v, c->elem_size);
    } else {
        unlock(&c->lock);
        if (wake)
            rt_ready(m, wake);
    }
    chan_received(c, g, v, success, __builtin_return_address(0));
    rt_leave();
    return success;
}

bool gort_chan_try_send(struct gort_chan *c, const void *v)
{
    if (c == NULL)
        return false;
    struct m *m = rt_enter();
    struct g *wake;
    lock(&c->lock);
    chan_used(c, m->g, false, __builtin_return_address(0));
    enum chan_result r = chan_send_locked(c, m->g, v, &wake);
    unlock(&c->lock);
    if (r == CHAN_CLOSED)
        rt_panic("send on closed channel");
    if (wake)
        rt_ready(m, wake);
    rt_leave();
    return r == CHAN_DONE;
}

enum go_recv_result gort_chan_try_recv(struct gort_chan *c, void *v)
{
    if (c == NULL)
        return GO_RECV_EMPTY;
    struct m *m = rt_enter();
    struct g *g = m->g, *wake;
    lock(&c->lock);
    enum chan_result r = chan_recv_locked(c, g, v, &wake);
    unlock(&c->lock);
    if (wake)
        rt_ready(m, wake);
    if (r != CHAN_WOULD_BLOCK)
        chan_received(c, g, v, r == CHAN_DONE, __builtin_return_address(0));
    rt_leave();
    return r == CHAN_DONE ? GO_RECV_VALUE : r == CHAN_CLOSED ? GO_RECV_CLOSED : GO_RECV_EMPTY;
}

struct g **chan_close_locked(struct gort_chan *c, struct g *g, struct g **last)
{
    RT_ASSERT(lock_is_held(&c->lock));
    __atomic_store_n(&c->closed, true, __ATOMIC_RELAXED);
    if (g)
        hook_release(HOOK_RACE_G(g), c);
    struct waiter *w;
    struct g *before[G_AHEAD] = {NULL};
    for (unsigned n = 0; (w = waitq_pop(&c->receivers)) || (w = waitq_pop(&c->senders)); n++) {
        struct g *woken = waiter_done(w, false);   /* its links are free: a parked goroutine is in no run queue */
        *last = woken;
        last = &woken->next;
        woken->ahead = NULL;
        if (before[n % G_AHEAD])
            before[n % G_AHEAD]->ahead = woken;
        before[n % G_AHEAD] = woken;
    }
    *last = NULL;
    return last;
}

void gort_chan_close(struct gort_chan *c)
{
    struct m *m = rt_enter();
    if (c == NULL)
        rt_panic("close of nil channel");
    lock(&c->lock);
    chan_used(c, m->g, true, __builtin_return_address(0));
    if (c->closed) {
        unlock(&c->lock);
        rt_panic("close of closed channel");
    }
    struct g *first = NULL;
    chan_close_locked(c, m->g, &first);
    unlock(&c->lock);
    rt_ready_all(m, first);
    rt_leave();
}

size_t gort_chan_len(const struct gort_chan *c)
{
    return c ? __atomic_load_n(&c->count, __ATOMIC_RELAXED) : 0;
}

size_t gort_chan_cap(const struct gort_chan *c)
{
    return c ? c->cap : 0;
}

/* ---- go_after ---- */

static void after_fire(struct m *m, struct timer *t)
{
    struct gort_chan *c = rt_container_of(t, struct gort_chan, timer);
    int64_t now = os_now();
    struct g *wake;
    lock(&c->lock);
    enum chan_result r = chan_send_locked(c, NULL, &now, &wake);
    unlock(&c->lock);
    RT_CHECK(r == CHAN_DONE);
    if (wake)
        rt_ready(m, wake);
}

go_recv_chan(int64_t) go_after(int64_t ns)
{
    struct gort_chan *c = gort_chan_make(sizeof(int64_t), 1);
    struct m *m = rt_enter();
    c->of_timer = true;
    c->timer.fn = after_fire;
    hook_pass_leave(HOOK_RACE_G(m->g), &c->sync[0]);
    sched_timer_start(m, &c->timer, time_after(ns));
    rt_leave();
    return (go_recv_chan(int64_t))c;
}
