/* Select: one goroutine in several wait queues. The only holder of several channel locks, which it takes in address order.
 *
 * Pass 0 looks at every channel without its lock, and picks at random among those that seem ready: a channel operation under that channel's lock
 * alone is as good a select as any, if the case was ready at that instant. Only when none seems ready, or turned out not to be, do the locks
 * come in, since "none is ready", on which a default or a wait depends, must be true of one instant.
 *
 * Pass 1, with all locks held, tries the cases in random order. If none is ready, pass 2 queues a waiter for each, and parks. Whoever
 * comes first to one of these channels must win g->select_done (0 -> 1) before it may use the waiter; the timer of a timeout too. Pass 3,
 * after the wake, takes the other waiters out of their queues. The waiters lie on the selecting goroutine's stack: nobody touches one
 * that it has not dequeued under the channel's lock, and pass 3 holds all locks, so they may go when it is done.
 *
 * The timeout's timer is started when the goroutine is already visibly parked: fired earlier, it would ready one that isn't. */
#include <gort/select.h>

#include <stdlib.h>

#include "chan.h"
#include "os.h"

enum { CASES_ON_STACK = 16, CASES_MAX = 65536 };

struct selection {
    struct gort_case *cases;
    size_t n;
    struct waiter *waiters;   /* one for each case */
    uint32_t *poll;           /* positions in random order, of cases with a channel */
    uint32_t *lock_order;     /* the same, by address of channel */
    size_t npoll;
    int64_t timeout_at;       /* TIMER_NEVER: none */
    size_t timeout_case, default_case;   /* n: none */
    struct m *m;
};

static struct gort_chan *chan_at(const struct selection *s, size_t k)
{
    return s->cases[s->lock_order[k]].chan;
}

static void lock_all(struct selection *s)
{
    for (size_t k = 0; k < s->npoll; k++)
        if (k == 0 || chan_at(s, k) != chan_at(s, k - 1))
            lock(&chan_at(s, k)->lock);
}

static void unlock_all(struct selection *s)
{
    for (size_t k = s->npoll; k-- > 0;)
        if (k == 0 || chan_at(s, k) != chan_at(s, k - 1))
            unlock(&chan_at(s, k)->lock);
}

static void sift(struct selection *s, size_t root, size_t n)
{
    for (size_t child; (child = 2 * root + 1) < n; root = child) {
        if (child + 1 < n && chan_at(s, child) < chan_at(s, child + 1))
            child++;
        if (chan_at(s, root) >= chan_at(s, child))
            return;
        uint32_t t = s->lock_order[root];
        s->lock_order[root] = s->lock_order[child];
        s->lock_order[child] = t;
    }
}

/* Insertion sort for the few cases of an ordinary select, heap sort (no recursion, no memory) for many. */
static void sort_by_address(struct selection *s)
{
    size_t n = s->npoll;
    if (n <= 12) {
        for (size_t i = 1; i < n; i++) {
            uint32_t t = s->lock_order[i];
            size_t k = i;
            for (; k > 0 && chan_at(s, k - 1) > s->cases[t].chan; k--)
                s->lock_order[k] = s->lock_order[k - 1];
            s->lock_order[k] = t;
        }
        return;
    }
    for (size_t i = n / 2; i-- > 0;)
        sift(s, i, n);
    for (size_t i = n; i-- > 1;) {
        uint32_t t = s->lock_order[0];
        s->lock_order[0] = s->lock_order[i];
        s->lock_order[i] = t;
        sift(s, 0, i);
    }
}

/* Sorts the cases out: which have a channel (in random order, and by address), the shortest timeout, the default. */
static void prepare_cases(struct selection *s, int64_t *shortest)
{
    s->npoll = 0;
    s->default_case = s->timeout_case = s->n;
    for (size_t i = 0; i < s->n; i++) {
        struct gort_case *k = &s->cases[i];
        switch (k->kind) {
        case GORT_CASE_DEFAULT:
            if (s->default_case != s->n)
                rt_panic("select: more than one default case");
            s->default_case = i;
            break;
        case GORT_CASE_TIMEOUT:
            if (s->timeout_case == s->n || k->ns < *shortest) {
                s->timeout_case = i;
                *shortest = k->ns;
            }
            break;
        case GORT_CASE_SEND:
        case GORT_CASE_RECV:
            if (k->chan) {   /* nil: never ready */
                uint32_t at = m_random(s->m) % (uint32_t)(s->npoll + 1);
                s->poll[s->npoll] = s->poll[at];
                s->poll[at] = (uint32_t)i;
                s->npoll++;
            }
            break;
        }
    }
    for (size_t k = 0; k < s->npoll; k++)
        s->lock_order[k] = s->poll[k];
    sort_by_address(s);
}

static void case_received(struct gort_case *k, struct g *g, bool ok, const void *pc)
{
    chan_received(k->chan, g, k->value, ok, pc);
    if (k->ok)
        *k->ok = ok;
}

/* Pass 1. The position taken, or n. Unlocks if one was. */
static size_t try_cases(struct selection *s, const void *pc)
{
    struct g *g = s->m->g, *wake;
    for (size_t i = 0; i < s->npoll; i++) {
        struct gort_case *k = &s->cases[s->poll[i]];
        bool send = k->kind == GORT_CASE_SEND;
        enum chan_result r = send ? chan_send_locked(k->chan, g, k->value, &wake) : chan_recv_locked(k->chan, g, k->value, &wake);
        if (r == CHAN_WOULD_BLOCK)
            continue;
        unlock_all(s);
        if (send && r == CHAN_CLOSED)
            rt_panic("send on closed channel");
        if (wake)
            rt_ready(s->m, wake);
        if (!send)
            case_received(k, g, r == CHAN_DONE, pc);
        return s->poll[i];
    }
    return s->n;
}

static void timeout_fire(struct m *m, struct timer *t)
{
    struct g *g = rt_container_of(t, struct g, timer);
    unsigned zero = 0;
    if (atomic_compare_exchange_strong_explicit(&g->select_done, &zero, 1, memory_order_acq_rel, memory_order_relaxed)) {
        g->woken_by = NULL;
        rt_ready(m, g);
    }
}

static void parked(void *arg)
{
    struct selection *s = arg;
    struct g *g = s->m->g;
    if (s->timeout_at != TIMER_NEVER) {
        g->timer.fn = timeout_fire;
        sched_timer_start(s->m, &g->timer, s->timeout_at);
    }
    unlock_all(s);
}

/* Passes 2 and 3. The position that was taken. */
static size_t wait_for_one(struct selection *s, const void *pc)
{
    struct g *g = s->m->g;
    atomic_store_explicit(&g->select_done, 0, memory_order_relaxed);   /* published by the unlocks */
    g->woken_by = NULL;
    for (size_t k = 0; k < s->npoll; k++) {
        uint32_t i = s->lock_order[k];
        struct gort_case *c = &s->cases[i];
        struct waiter *w = &s->waiters[i];
        *w = (struct waiter){.g = g, .value = c->value, .key = c->chan, .index = i, .in_select = true};
        waitq_push(c->kind == GORT_CASE_SEND ? &c->chan->senders : &c->chan->receivers, w);
    }
    rt_park_with(parked, s, GORT_WAIT_SELECT);
    s->m = rt_m();
    if (s->timeout_at != TIMER_NEVER)
        timer_stop(&g->timer);
    lock_all(s);
    for (size_t k = 0; k < s->npoll; k++) {
        struct gort_case *c = &s->cases[s->lock_order[k]];
        waitq_remove(c->kind == GORT_CASE_SEND ? &c->chan->senders : &c->chan->receivers, &s->waiters[s->lock_order[k]]);
    }
    unlock_all(s);
    struct waiter *w = g->woken_by;
    if (!w)
        return s->timeout_case;
    struct gort_case *c = &s->cases[w->index];
    if (c->kind == GORT_CASE_SEND) {
        if (!w->success)
            rt_panic("send on closed channel");
    } else {
        if (!w->success && c->value)
            rt_zero(c->value, c->chan->elem_size);
        case_received(c, g, w->success, pc);
    }
    return w->index;
}

/* ---- pass 0 ---- */

static bool seems_ready(const struct gort_case *k)
{
    const struct gort_chan *c = k->chan;
    if (!c || k->kind > GORT_CASE_RECV)
        return false;
    size_t count = __atomic_load_n(&c->count, __ATOMIC_RELAXED);
    if (k->kind == GORT_CASE_SEND)
        return count < c->cap || __atomic_load_n(&c->receivers.first, __ATOMIC_RELAXED) || __atomic_load_n(&c->closed, __ATOMIC_RELAXED);
    return count > 0 || __atomic_load_n(&c->senders.first, __ATOMIC_RELAXED) || __atomic_load_n(&c->closed, __ATOMIC_RELAXED);
}

/* The position of the k-th bit set. */
static unsigned nth_bit(uint64_t set, unsigned k)
{
    while (k-- > 0)
        set &= set - 1;
    return (unsigned)__builtin_ctzll(set);
}

/* The position taken, or n. */
static size_t try_unlocked(struct gort_case *cases, size_t n, struct m *m, const void *pc)
{
    uint64_t ready = 0;
    for (size_t i = 0; i < n; i++)
        ready |= (uint64_t)seems_ready(&cases[i]) << i;
    while (ready) {
        unsigned i = (ready & (ready - 1)) == 0 ? (unsigned)__builtin_ctzll(ready)
                                                : nth_bit(ready, m_random(m) % (unsigned)__builtin_popcountll(ready));
        struct gort_case *k = &cases[i];
        struct g *wake;
        lock(&k->chan->lock);
        enum chan_result r = k->kind == GORT_CASE_SEND ? chan_send_locked(k->chan, m->g, k->value, &wake)
                                                       : chan_recv_locked(k->chan, m->g, k->value, &wake);
        unlock(&k->chan->lock);
        if (r == CHAN_WOULD_BLOCK) {
            ready &= ~((uint64_t)1 << i);
            continue;
        }
        if (k->kind == GORT_CASE_SEND && r == CHAN_CLOSED)
            rt_panic("send on closed channel");
        if (wake)
            rt_ready(m, wake);
        if (k->kind == GORT_CASE_RECV)
            case_received(k, m->g, r == CHAN_DONE, pc);
        return i;
    }
    return n;
}

static size_t select_run(struct selection *s, const void *pc)
{
    int64_t shortest = 0;
    prepare_cases(s, &shortest);
    lock_all(s);
    size_t taken = try_cases(s, pc);
    if (taken != s->n)
        return taken;
    if (s->default_case != s->n || (s->timeout_case != s->n && shortest <= 0)) {
        unlock_all(s);
        return s->timeout_case != s->n && shortest <= 0 ? s->timeout_case : s->default_case;   /* a default is for when nothing else is ready */
    }
    s->timeout_at = TIMER_NEVER;
    if (s->timeout_case != s->n) {
        int64_t now = os_now();
        s->timeout_at = shortest > INT64_MAX - 1 - now ? INT64_MAX - 1 : now + shortest;
    }
    return wait_for_one(s, pc);
}

static rt_noinline size_t select_small(struct selection *s, const void *pc)
{
    struct waiter waiters[CASES_ON_STACK];
    uint32_t poll[CASES_ON_STACK], lock_order[CASES_ON_STACK];
    s->waiters = waiters;
    s->poll = poll;
    s->lock_order = lock_order;
    return select_run(s, pc);
}

static rt_noinline size_t select_large(struct selection *s, const void *pc)
{
    hook_ignore_begin();
    s->waiters = malloc(s->n * sizeof *s->waiters);
    s->poll = malloc(s->n * sizeof *s->poll);
    s->lock_order = malloc(s->n * sizeof *s->lock_order);
    hook_ignore_end();
    if (!s->waiters || !s->poll || !s->lock_order)
        rt_fatal("select: no memory for %zu cases", s->n);
    size_t taken = select_run(s, pc);
    hook_ignore_begin();
    free(s->waiters);
    free(s->poll);
    free(s->lock_order);
    hook_ignore_end();
    return taken;
}

static void use_before_select(struct g *g, struct gort_chan *c, const void *pc)
{
    lock(&c->lock);
    chan_used(c, g, false, pc);
    unlock(&c->lock);
}

int gort_select(struct gort_case *cases, size_t n)
{
    struct m *m = rt_enter();
    const void *pc = __builtin_return_address(0);
    for (size_t i = 0; HOOK_IS_ON && i < n; i++)
        if (cases[i].kind == GORT_CASE_SEND && cases[i].chan)
            use_before_select(m->g, cases[i].chan, pc);
    if (n <= 64) {
        size_t taken = try_unlocked(cases, n, m, pc);
        if (taken != n) {
            rt_leave();
            return (int)taken;
        }
    }
    struct selection s = {.cases = cases, .n = n, .m = m};
    if (n == 0) {
        rt_park(NULL, GORT_WAIT_SELECT_NONE, NULL);
        rt_throw(__FILE_NAME__, __LINE__, "a goroutine woke from select {}");
    }
    if (n > CASES_MAX)
        rt_panic("select: too many cases (%zu)", n);
    size_t taken = n <= CASES_ON_STACK ? select_small(&s, pc) : select_large(&s, pc);
    rt_leave();
    return (int)taken;
}
