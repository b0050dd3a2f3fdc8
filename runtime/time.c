/* go_now and go_sleep. (go_after is a channel: chan.c. Timers and tickers: ticker.c.) */
#include <gort/time.h>

#include "internal.h"
#include "os.h"

int64_t go_now(void)
{
    return os_now();
}

int64_t time_after(int64_t ns)
{
    int64_t now = os_now();
    return ns <= 0 ? now : ns >= TIMER_NEVER - now ? TIMER_NEVER - 1 : now + ns;
}

static void sleep_fire(struct m *m, struct timer *t)
{
    rt_ready(m, rt_container_of(t, struct g, timer));
}

/* Called when the goroutine is visibly parked: a timer that fired before would ready one that isn't. */
static void sleep_start(void *arg)
{
    struct m *m = rt_m();
    m->g->timer.fn = sleep_fire;
    sched_timer_start(m, &m->g->timer, *(int64_t *)arg);
}

void go_sleep(int64_t ns)
{
    if (ns <= 0)
        return;
    struct m *m = rt_enter();
    int64_t now = os_now();
    atomic_store_explicit(&sched.now, now, memory_order_relaxed);
    int64_t until = ns > INT64_MAX - 1 - now ? INT64_MAX - 1 : now + ns;
    struct g *g = m->g;
    rt_park_with(sleep_start, &until, GORT_WAIT_SLEEP);
    timer_stop(&g->timer);   /* it has fired; wait until its function is done with g */
    rt_leave();
}
