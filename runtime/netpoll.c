/* The portable half of the netpoller. The protocol is in netpoll.h; it follows Go's netpoll.go. */
#include "netpoll.h"

#include "internal.h"
#include "os.h"

enum { NIL = 0, READY = 1 };

atomic_int netpoll_waiters;

void poll_desc_init(struct poll_desc *pd)
{
    for (int mode = 0; mode < 2; mode++) {
        atomic_store_explicit(&pd->place[mode], NIL, memory_order_relaxed);
        atomic_store_explicit(&pd->expired[mode], false, memory_order_relaxed);
        pd->has_timer[mode] = false;
    }
    atomic_store_explicit(&pd->ask_first, false, memory_order_relaxed);
    lock_init(&pd->deadline_lock, DEADLINE);
    atomic_store_explicit(&pd->closing, false, memory_order_seq_cst);
}

enum poll_result netpoll_check(struct poll_desc *pd, enum poll_mode mode)
{
    if (rt_unlikely(atomic_load_explicit(&pd->closing, memory_order_seq_cst)))
        return POLL_CLOSING;
    if (rt_unlikely(atomic_load_explicit(&pd->expired[mode], memory_order_seq_cst)))
        return POLL_TIMEOUT;
    return POLL_OK;
}

/* Empties the place. The G that waited there, which is now the caller's to ready, or NULL. */
static struct g *take(struct poll_desc *pd, int mode, uintptr_t leave)
{
    uintptr_t old = atomic_load_explicit(&pd->place[mode], memory_order_seq_cst);
    for (;;) {
        if (old == READY || (old == NIL && leave == NIL))
            return NULL;
        if (atomic_compare_exchange_weak_explicit(&pd->place[mode], &old, leave, memory_order_seq_cst, memory_order_seq_cst))
            return old == NIL ? NULL : (struct g *)old;
    }
}

struct commit {
    struct poll_desc *pd;
    enum poll_mode mode;
};

/* Called when the goroutine is visibly parked. False: it need not park after all. */
static bool commit(void *arg)
{
    struct commit *c = arg;
    struct poll_desc *pd = c->pd;
    uintptr_t g = (uintptr_t)rt_m()->g, old = NIL;
    if (!atomic_compare_exchange_strong_explicit(&pd->place[c->mode], &old, g, memory_order_seq_cst, memory_order_seq_cst)) {
        RT_CHECK(old == READY);   /* one waiter a side: conn.c */
        atomic_store_explicit(&pd->place[c->mode], NIL, memory_order_seq_cst);
        return false;
    }
    if (netpoll_check(pd, c->mode) == POLL_OK)
        return true;
    old = g;   /* ended meanwhile: back, unless somebody has us already and will ready us */
    return !atomic_compare_exchange_strong_explicit(&pd->place[c->mode], &old, NIL, memory_order_seq_cst, memory_order_seq_cst);
}

enum poll_result netpoll_wait(struct poll_desc *pd, enum poll_mode mode)
{
    enum poll_result r = netpoll_check(pd, mode);
    if (r != POLL_OK)
        return r;
    uintptr_t ready = READY;
    if (atomic_compare_exchange_strong_explicit(&pd->place[mode], &ready, NIL, memory_order_seq_cst, memory_order_seq_cst))
        return POLL_OK;
    struct commit c = {pd, mode};
    atomic_fetch_add_explicit(&netpoll_waiters, 1, memory_order_seq_cst);
    rt_park_if(commit, &c, GORT_WAIT_IO, pd);
    atomic_fetch_sub_explicit(&netpoll_waiters, 1, memory_order_seq_cst);
    r = netpoll_check(pd, mode);
    /* An edge leaves READY behind when it wakes; it is ours. One that comes later than the check stays for the next wait. */
    ready = READY;
    if (r == POLL_OK)
        atomic_compare_exchange_strong_explicit(&pd->place[mode], &ready, NIL, memory_order_seq_cst, memory_order_seq_cst);
    return r;
}

void netpoll_ready(struct gqueue *list, struct poll_desc *pd, bool read, bool write, bool ask_first)
{
    if (ask_first)
        atomic_store_explicit(&pd->ask_first, true, memory_order_release);   /* before the wake that it explains */
    for (int mode = 0; mode < 2; mode++) {
        struct g *g = (mode == POLL_READ ? read : write) ? take(pd, mode, READY) : NULL;
        if (g) {
            g->next = NULL;
            if (list->last)
                list->last->next = g;
            else
                list->first = g;
            list->last = g;
            atomic_fetch_add_explicit(&list->n, 1, memory_order_relaxed);   /* the list is the caller's own */
        }
    }
}

static void wake(struct m *m, struct poll_desc *pd, int mode)
{
    struct g *g = take(pd, mode, NIL);
    if (g)
        rt_ready(m, g);
}

static void read_expired(struct m *m, struct timer *t)
{
    struct poll_desc *pd = rt_container_of(t, struct poll_desc, timer[POLL_READ]);
    atomic_store_explicit(&pd->expired[POLL_READ], true, memory_order_seq_cst);
    wake(m, pd, POLL_READ);
}

static void write_expired(struct m *m, struct timer *t)
{
    struct poll_desc *pd = rt_container_of(t, struct poll_desc, timer[POLL_WRITE]);
    atomic_store_explicit(&pd->expired[POLL_WRITE], true, memory_order_seq_cst);
    wake(m, pd, POLL_WRITE);
}

void netpoll_set_deadline(struct poll_desc *pd, int64_t at, unsigned modes)
{
    struct m *m = rt_m();
    bool past = at != 0 && at <= os_now();
    lock(&pd->deadline_lock);
    for (int mode = 0; mode < 2; mode++) {
        if (!(modes & 1u << mode))
            continue;
        if (pd->has_timer[mode])
            timer_stop(&pd->timer[mode]);
        pd->has_timer[mode] = false;
        atomic_store_explicit(&pd->expired[mode], past, memory_order_seq_cst);
        if (at != 0 && !past && !atomic_load_explicit(&pd->closing, memory_order_seq_cst)) {
            pd->timer[mode].fn = mode == POLL_READ ? read_expired : write_expired;
            pd->has_timer[mode] = true;
            sched_timer_start(m, &pd->timer[mode], at);
        }
    }
    unlock(&pd->deadline_lock);
    for (int mode = 0; past && mode < 2; mode++)
        if (modes & 1u << mode)
            wake(m, pd, mode);
}

void netpoll_evict(struct poll_desc *pd)
{
    struct m *m = rt_m();
    atomic_store_explicit(&pd->closing, true, memory_order_seq_cst);
    lock(&pd->deadline_lock);
    for (int mode = 0; mode < 2; mode++) {
        if (pd->has_timer[mode])
            timer_stop(&pd->timer[mode]);
        pd->has_timer[mode] = false;
    }
    unlock(&pd->deadline_lock);
    wake(m, pd, POLL_READ);
    wake(m, pd, POLL_WRITE);
}
