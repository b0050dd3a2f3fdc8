/* Timer heaps. The life of a timer is in timer.h. */
#include "timer.h"

#include <stdlib.h>

#include "context.h"
#include "hooks.h"
#include "os.h"

void timers_init(struct timers *ts)
{
    lock_init(&ts->lock, TIMER);
    ts->n = ts->cap = 0;
    ts->heap = NULL;
    ts->memory = NULL;
    atomic_init(&ts->first, TIMER_NEVER);
}

static void place(struct timers *ts, uint32_t i, struct timer_place p)
{
    ts->heap[i] = p;
    p.t->index = i;
}

static void sift_up(struct timers *ts, uint32_t i, struct timer_place p)
{
    while (i > 0 && p.when < ts->heap[(i - 1) / 4].when) {
        place(ts, i, ts->heap[(i - 1) / 4]);
        i = (i - 1) / 4;
    }
    place(ts, i, p);
}

static void sift_down(struct timers *ts, uint32_t i, struct timer_place p)
{
    for (;;) {
        uint32_t first = i * 4 + 1, least = first;
        if (first >= ts->n)
            break;
        for (uint32_t k = first + 1; k < first + 4 && k < ts->n; k++)
            if (ts->heap[k].when < ts->heap[least].when)
                least = k;
        if (ts->heap[least].when >= p.when)
            break;
        place(ts, i, ts->heap[least]);
        i = least;
    }
    place(ts, i, p);
}

static void publish_first(struct timers *ts)
{
    atomic_store_explicit(&ts->first, ts->n ? ts->heap[0].when : TIMER_NEVER, memory_order_seq_cst);
}

static void grow(struct timers *ts)
{
    enum { LINE = RT_CACHE_LINE / sizeof(struct timer_place) };
    uint32_t cap = ts->cap ? ts->cap * 2 : 64;
    hook_ignore_begin();
    void *memory = aligned_alloc(RT_CACHE_LINE, (cap + LINE) * sizeof(struct timer_place));
    hook_ignore_end();
    if (!memory)
        rt_out_of_memory("timers");
    struct timer_place *heap = (struct timer_place *)memory + LINE - 1;   /* heap[1] begins a cache line */
    for (uint32_t i = 0; i < ts->n; i++)
        heap[i] = ts->heap[i];
    hook_ignore_begin();
    free(ts->memory);
    hook_ignore_end();
    ts->memory = memory;
    ts->heap = heap;
    ts->cap = cap;
}

static void add_locked(struct timers *ts, struct timer *t)
{
    RT_ASSERT(lock_is_held(&ts->lock));
    if (ts->n == ts->cap)
        grow(ts);
    t->heap = ts;
    sift_up(ts, ts->n++, (struct timer_place){t->when, t});
}

static void remove_locked(struct timers *ts, struct timer *t)
{
    RT_CHECK(t->index < ts->n && ts->heap[t->index].t == t);
    struct timer_place last = ts->heap[--ts->n];
    if (last.t != t) {
        uint32_t i = t->index;
        if (i > 0 && last.when < ts->heap[(i - 1) / 4].when)
            sift_up(ts, i, last);
        else
            sift_down(ts, i, last);
    }
}

bool timer_start(struct timers *ts, struct timer *t, int64_t when)
{
    RT_CHECK(atomic_load_explicit(&t->state, memory_order_acquire) == TIMER_IDLE);
    lock(&ts->lock);
    t->when = when;
    add_locked(ts, t);
    atomic_store_explicit(&t->state, TIMER_ARMED, memory_order_release);
    bool first = ts->heap[0].t == t;
    if (first)
        publish_first(ts);
    unlock(&ts->lock);
    return first;
}

/* Takes t out of its heap. *firing: it is in none just now. */
static bool take_out(struct timer *t, bool *firing)
{
    for (;;) {
        unsigned state = atomic_load_explicit(&t->state, memory_order_acquire);
        *firing = state == TIMER_FIRING;
        if (state != TIMER_ARMED)
            return false;
        /* heap can change while we don't hold its lock (timers_move): take the lock, then look again. */
        struct timers *ts = __atomic_load_n(&t->heap, __ATOMIC_ACQUIRE);
        lock(&ts->lock);
        bool here = t->heap == ts && atomic_load_explicit(&t->state, memory_order_relaxed) == TIMER_ARMED;
        if (here) {
            remove_locked(ts, t);
            publish_first(ts);
            atomic_store_explicit(&t->state, TIMER_IDLE, memory_order_release);
        }
        unlock(&ts->lock);
        if (here)
            return true;
    }
}

bool timer_try_stop(struct timer *t)
{
    bool firing;
    return take_out(t, &firing);
}

bool timer_stop(struct timer *t)
{
    bool firing, stopped;
    for (unsigned spins = 0; !(stopped = take_out(t, &firing)) && firing; spins++) {   /* its function is at work on another thread */
        if (spins < 100)
            ctx_pause();
        else
            os_thread_yield();
    }
    return stopped;
}

/* The next instant of a periodic timer that is later than now; whole periods are left out if they were missed, so the beat stays. */
static int64_t next_instant(const struct timer *t, int64_t now)
{
    int64_t next;
    if (__builtin_mul_overflow((now - t->when) / t->period + 1, t->period, &next) || __builtin_add_overflow(next, t->when, &next) ||
        next == TIMER_NEVER)
        next = TIMER_NEVER - 1;
    return next;
}

/* A periodic timer has fired: back into the heap. Somebody else's stop may be waiting for this moment. */
static void rearm(struct timers *ts, struct timer *t, int64_t when)
{
    lock(&ts->lock);
    t->when = when;
    add_locked(ts, t);
    bool first = ts->heap[0].t == t;
    publish_first(ts);
    /* The last touch: once ARMED and unlocked, t may be stopped and freed. */
    atomic_store_explicit(&t->state, TIMER_ARMED, memory_order_release);
    unlock(&ts->lock);
    if (first)
        sched_timer_watch(when);
}

int timers_run(struct timers *ts, struct m *m, int64_t now)
{
    int fired = 0;
    while (timers_first(ts) <= now) {
        lock(&ts->lock);
        if (ts->n == 0 || ts->heap[0].when > now) {
            unlock(&ts->lock);
            break;
        }
        struct timer *t = ts->heap[0].t;
        remove_locked(ts, t);
        publish_first(ts);
        atomic_store_explicit(&t->state, TIMER_FIRING, memory_order_relaxed);
        unlock(&ts->lock);
        t->fn(m, t);
        if (t->period > 0)
            rearm(ts, t, next_instant(t, now));
        else   /* Release: all that fn did to what the timer is embedded in comes before a timer_stop that returns. */
            atomic_store_explicit(&t->state, TIMER_IDLE, memory_order_release);
        fired++;
    }
    return fired;
}

/* Takes them one at a time, so that the two heap locks are never held together. A timer that is in neither heap for a moment
 * counts as FIRING: timer_stop waits until it has arrived. */
void timers_move(struct timers *to, struct timers *from)
{
    for (;;) {
        lock(&from->lock);
        if (from->n == 0) {
            unlock(&from->lock);
            return;
        }
        struct timer *t = from->heap[0].t;
        remove_locked(from, t);
        publish_first(from);
        __atomic_store_n(&t->heap, to, __ATOMIC_RELEASE);
        atomic_store_explicit(&t->state, TIMER_FIRING, memory_order_relaxed);   /* a stop waits for the move */
        unlock(&from->lock);
        lock(&to->lock);
        add_locked(to, t);
        atomic_store_explicit(&t->state, TIMER_ARMED, memory_order_release);
        publish_first(to);
        unlock(&to->lock);
    }
}

bool timers_is_valid(struct timers *ts)
{
    lock(&ts->lock);
    bool ok = true;
    for (uint32_t i = 0; i < ts->n; i++)
        ok = ok && ts->heap[i].t->index == i && ts->heap[i].t->heap == ts && ts->heap[i].t->when == ts->heap[i].when &&
             (i == 0 || ts->heap[(i - 1) / 4].when <= ts->heap[i].when);
    ok = ok && atomic_load(&ts->first) == (ts->n ? ts->heap[0].when : TIMER_NEVER);
    unlock(&ts->lock);
    return ok;
}
