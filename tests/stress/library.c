/* Timers, tickers, contexts, error groups and sync maps at once: goroutines derive contexts with random deadlines below shared ones, wait for them,
 * for tickers and for timers that others reset, run limited error groups, and share a sync map. What must be cancelled is, what was stopped
 * does not fire, counts add up, nothing is left. In race builds the shared plain variables are a check of the edges. */
#include "stress.h"

enum { WORKERS = 12, STEPS = 60 };

static go_sync_map shared = GO_SYNC_MAP_STRINGS_INIT;
static _Atomic(long) added, functions_run, functions_stopped;

struct job {
    go_context *context;
    int plain;   /* written before a cancel, read after it */
};

/* Waits for the cancel of its context, which is the error. */
static int wait_for_cancel(void *arg)
{
    struct job *j = arg;
    go_recv(go_context_done(j->context), NULL);
    CHECK_EQ(go_context_err(j->context) != 0, true);
    return j->plain;
}

/* With a reference for each run. */
static void cancel_later(void *arg)
{
    functions_run++;
    go_context_cancel(arg);
    go_context_release(arg);
}

/* A group that waits until a timer's function cancels its context, or a deadline does. */
static void group(go_context *parent, uint32_t *s)
{
    go_errgroup g;
    struct job j = {.context = go_errgroup_with_context(&g, parent), .plain = 7};
    uint32_t n = 1 + rnd(s) % 4;
    for (uint32_t i = 0; i < n; i++)
        go_errgroup_go(&g, wait_for_cancel, &j);
    go_timer *t = go_after_func(rnd(s) % 200000, cancel_later, go_context_hold(j.context));
    if (rnd(s) % 3 == 0) {
        go_context_hold(j.context);
        if (go_timer_reset(t, rnd(s) % 100000))   /* else it runs twice */
            go_context_release(j.context);
    }
    perturb(s);
    CHECK_EQ(go_errgroup_wait(&g), 7);
    if (go_timer_stop(t)) {
        functions_stopped++;
        go_context_release(j.context);
    }
    go_timer_free(t);
    go_context_free(j.context);
}

static int add_one(void *arg)
{
    char key[8];
    snprintf(key, sizeof key, "%d", (int)(intptr_t)arg % 9);
    for (;;) {
        void *v;
        if (!go_sync_map_load_or_store(&shared, key, (void *)1, &v) ||
            go_sync_map_compare_and_swap(&shared, key, v, (void *)((intptr_t)v + 1)))
            break;
    }
    added++;
    return 0;
}

static void count(uint32_t *s)
{
    go_errgroup g = GO_ERRGROUP_INIT;
    go_errgroup_set_limit(&g, 1 + (int)(rnd(s) % 3));
    for (uint32_t i = 0, n = rnd(s) % 10; i < n; i++)
        go_errgroup_go(&g, add_one, (void *)(uintptr_t)rnd(s));
    CHECK_EQ(go_errgroup_wait(&g), 0);
}

static void reset_it(go_timer *t, uint32_t seed, go_send_chan(int) done)
{
    for (int i = 0; i < 5; i++) {
        go_timer_reset(t, rnd(&seed) % 50000);
        perturb(&seed);
    }
    go_send(done, 1);
}

static void timers(uint32_t *s)
{
    go_timer *t = go_timer_new(rnd(s) % 50000);
    go_ticker *k = go_ticker_new(1 + rnd(s) % 30000);
    go_chan(int) done = go_make_chan(int, 1);
    go(reset_it, t, rnd(s) | 1, done);
    for (bool running = true; running;)
        switch (go_select(go_case_recv(go_timer_chan(t), NULL), go_case_recv(go_ticker_chan(k), NULL), go_case_recv(done, NULL))) {
        case 1: go_ticker_reset(k, 1 + rnd(s) % 30000); break;
        case 2: running = false; break;
        }
    go_ticker_stop(k);
    go_timer_stop(t);
    go_sleep(rnd(s) % 60000);
    CHECK_EQ(go_try_recv(go_timer_chan(t), NULL), GO_RECV_EMPTY);
    CHECK_EQ(go_try_recv(go_ticker_chan(k), NULL), GO_RECV_EMPTY);
    go_timer_free(t);
    go_ticker_free(k);
    go_chan_free(done);
}

static void work(uint32_t me, go_context *top, go_waitgroup *wg)
{
    uint32_t s = stream(me);
    for (int i = 0; i < STEPS; i++) {
        switch (rnd(&s) % 4) {
        case 0: group(go_context_background(), &s); break;
        case 1: {
            go_context *c = go_context_with_timeout(top, rnd(&s) % 300000), *d = go_context_with_cancel(c);
            if (rnd(&s) % 2)
                go_context_cancel(c);
            else
                go_recv(go_context_done(d), NULL);
            CHECK_EQ(go_context_err(d) != 0, true);
            go_context_free(c);
            go_context_free(d);
            break;
        }
        case 2: timers(&s); break;
        case 3: count(&s); break;
        }
        perturb(&s);
    }
    go_waitgroup_done(wg);
}

static bool sum(const void *key, void *value, void *arg)
{
    (void)key;
    *(long *)arg += (long)(intptr_t)value;
    return true;
}

int main(int argc, char **argv)
{
    read_seed(argc, argv);
    uint32_t s = stream(999);
    go_context *top = go_context_with_timeout(go_context_background(), rnd(&s) % 30000000);
    go_waitgroup wg = GO_WAITGROUP_INIT;
    go_waitgroup_add(&wg, WORKERS);
    for (uint32_t i = 0; i < WORKERS; i++)
        go(work, i, top, &wg);
    go_waitgroup_wait(&wg);
    long total = 0;
    go_sync_map_range(&shared, sum, &total);
    CHECK_EQ(total, added);
    go_context_free(top);
    go_sync_map_free(&shared);
    CHECK_EQ(leakcheck(), 0);
    return 0;
}
