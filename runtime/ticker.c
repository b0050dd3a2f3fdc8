/* Timers and tickers: a struct timer (timer.h) with a channel to send on or a function to start.
 *
 * Starting and stopping are made one by the ticker's own lock, so that resets may come from several goroutines at once. The
 * timer's function takes the channel's lock, never the ticker's: timer_stop waits for it with the ticker's lock held. A stop
 * takes the timer out of its heap and then empties the channel; nothing can be sent between the two, so afterwards no value
 * from before is to be had: Go's rule since 1.23, which Go keeps with channels that look unbuffered, and this in the older,
 * plain way.
 *
 * For the race detector a start releases what the starter knows to the one slot of the channel, where the receive finds it
 * (merged with what is there: an earlier value's receiver has passed through the slot too). The function of go_after_func gets
 * its goroutine from the scheduler, where nobody is to be its parent; so the timer itself is a race_g, made by go_after_func,
 * taught by each reset, parent of every run. */
#include <gort/time.h>

#include <stdlib.h>

#include "chan.h"
#include "os.h"

struct go_timer {
    struct lock lock;           /* rank TICKER; locking key: (t) this lock */
    struct timer timer;         /* (t) to start and stop */
    struct gort_chan *chan;     /* (i) NULL: calls fn instead */
    void (*fn)(void *arg);      /* (i) */
    void *arg;                  /* (i) */
    uint64_t creator_id;        /* (i) who will be named as the creator of fn's goroutine */
    uintptr_t creator_pc;       /* (i) */
    HOOK_G_FIELDS               /* (t) with fn: the parent of its runs */
};

struct go_ticker {
    struct go_timer t;
};

/* ---- firing: in the scheduler, no goroutine is current ---- */

static void send_fire(struct m *m, struct timer *timer)
{
    struct go_timer *t = rt_container_of(timer, struct go_timer, timer);
    int64_t now = os_now();
    struct g *wake;
    lock(&t->chan->lock);
    chan_send_locked(t->chan, NULL, &now, &wake);   /* no room: a slow receiver misses this tick */
    unlock(&t->chan->lock);
    if (wake)
        rt_ready(m, wake);
}

static void func_fire(struct m *m, struct timer *timer)
{
    struct go_timer *t = rt_container_of(timer, struct go_timer, timer);
    g_spawn(m, &(struct g_spawn){.fn = (uintptr_t)t->fn, .arg = {(uintptr_t)t->arg}, .parent_id = t->creator_id, .create_pc = t->creator_pc,
                                 .parent = HOOK_RACE_G(t)});
}

/* ---- start and stop ---- */

static struct go_timer *make(struct gort_chan *chan)
{
    hook_ignore_begin();
    struct go_timer *t = calloc(1, sizeof(struct go_ticker));
    hook_ignore_end();
    if (!t)
        rt_fatal("out of memory for a timer");
    lock_init(&t->lock, TICKER);
    t->chan = chan;
    if (chan)
        chan->of_timer = true;
    t->timer.fn = send_fire;
    return t;
}

/* The current goroutine's past happens before what the timer will do. */
static void release(struct go_timer *t, struct g *g)
{
    if (t->chan) {
        if (HOOK_IS_ON)
            lock(&t->chan->lock);
        hook_pass_leave(HOOK_RACE_G(g), &t->chan->sync[0]);
        if (HOOK_IS_ON)
            unlock(&t->chan->lock);
    } else {
        hook_release_merge(HOOK_RACE_G(g), t);
        hook_acquire(HOOK_RACE_G(t), t);
    }
    (void)g;
}

static void start_locked(struct m *m, struct go_timer *t, int64_t ns, int64_t period)
{
    release(t, m->g);
    t->timer.period = period;
    sched_timer_start(m, &t->timer, time_after(ns));
}

/* True: it was armed, or what it sent had not been received. */
static bool stop_locked(struct go_timer *t)
{
    bool stopped = timer_stop(&t->timer);
    if (t->chan) {
        struct g *wake;
        lock(&t->chan->lock);
        stopped |= chan_recv_locked(t->chan, NULL, NULL, &wake) == CHAN_DONE;
        unlock(&t->chan->lock);
    }
    return stopped;
}

static void start_new(struct go_timer *t, int64_t ns, int64_t period)
{
    struct m *m = rt_enter();
    lock(&t->lock);
    start_locked(m, t, ns, period);
    unlock(&t->lock);
    rt_leave();
}

static bool stop(struct go_timer *t)
{
    rt_enter();
    lock(&t->lock);
    bool stopped = stop_locked(t);
    unlock(&t->lock);
    rt_leave();
    return stopped;
}

static bool reset(struct go_timer *t, int64_t ns, int64_t period)
{
    struct m *m = rt_enter();
    lock(&t->lock);
    bool stopped = stop_locked(t);
    start_locked(m, t, ns, period);
    unlock(&t->lock);
    rt_leave();
    return stopped;
}

/* ---- timers ---- */

go_timer *go_timer_new(int64_t ns)
{
    struct go_timer *t = make(gort_chan_make(sizeof(int64_t), 1));
    start_new(t, ns, 0);
    return t;
}

go_timer *go_after_func(int64_t ns, void (*fn)(void *arg), void *arg)
{
    struct g *g = rt_enter()->g;
    if (fn == NULL)
        rt_fatal("go of nil func value");
    struct go_timer *t = make(NULL);
    t->fn = fn;
    t->arg = arg;
    t->timer.fn = func_fire;
    t->creator_id = g->id;
    t->creator_pc = (uintptr_t)__builtin_return_address(0);
    HOOK_SET_RACE_G(t, hook_go(HOOK_RACE_G(g), 0, g->id, (void *)(uintptr_t)fn, (void *)t->creator_pc, NULL, NULL, NULL));
    start_new(t, ns, 0);
    return t;
}

go_recv_chan(int64_t) go_timer_chan(const go_timer *t)
{
    return (go_recv_chan(int64_t))t->chan;
}

bool go_timer_stop(go_timer *t)
{
    return stop(t);
}

bool go_timer_reset(go_timer *t, int64_t ns)
{
    return reset(t, ns, 0);
}

void go_timer_free(go_timer *t)
{
    if (!t)
        return;
    stop(t);
    if (t->chan) {
        gort_chan_free(t->chan);
    } else {
        hook_end(HOOK_RACE_G(t));
        hook_switch(rt_race());   /* hook_end speaks for the current goroutine, too */
        hook_sync_gone(t, sizeof *t);
    }
    hook_ignore_begin();
    free(t);
    hook_ignore_end();
}

/* ---- tickers ---- */

go_ticker *go_ticker_new(int64_t ns)
{
    if (ns <= 0) {
        rt_enter();
        rt_panic("non-positive interval for NewTicker");
    }
    struct go_ticker *t = rt_container_of(make(gort_chan_make(sizeof(int64_t), 1)), struct go_ticker, t);
    start_new(&t->t, ns, ns);
    return t;
}

go_recv_chan(int64_t) go_ticker_chan(const go_ticker *t)
{
    return go_timer_chan(&t->t);
}

void go_ticker_stop(go_ticker *t)
{
    stop(&t->t);
}

void go_ticker_reset(go_ticker *t, int64_t ns)
{
    if (ns <= 0) {
        rt_enter();
        rt_panic("non-positive interval for Ticker.Reset");
    }
    reset(&t->t, ns, ns);
}

void go_ticker_free(go_ticker *t)
{
    go_timer_free(t ? &t->t : NULL);
}
