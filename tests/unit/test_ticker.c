/* Timers and tickers: never early, once each, nothing stale after a stop or a reset, a steady beat, dropped ticks. */
#include <criterion/criterion.h>
#include <gort.h>

#define MS GO_MILLISECOND

Test(ticker, a_timer_fires_once_and_not_early)
{
    int64_t start = go_now(), at = 0;
    go_timer *t = go_timer_new(10 * MS);
    cr_assert(go_recv(go_timer_chan(t), &at));
    cr_assert_geq(at - start, 10 * MS);
    cr_assert_not(go_timer_stop(t));
    go_sleep(15 * MS);
    cr_assert_eq(go_try_recv(go_timer_chan(t), &at), GO_RECV_EMPTY);
    go_timer_free(t);
}

Test(ticker, zero_and_negative_fire_at_once_and_never_means_never)
{
    go_timer *t = go_timer_new(-5);
    cr_assert_eq(go_select(go_case_recv(go_timer_chan(t), NULL), go_case_timeout(GO_SECOND)), 0);
    go_timer_reset(t, 0);
    cr_assert_eq(go_select(go_case_recv(go_timer_chan(t), NULL), go_case_timeout(GO_SECOND)), 0);
    go_timer_reset(t, INT64_MAX);
    cr_assert_eq(go_select(go_case_recv(go_timer_chan(t), NULL), go_case_timeout(5 * MS)), 1);
    cr_assert(go_timer_stop(t));
    go_timer_free(t);
    go_timer_free(NULL);
    go_ticker_free(NULL);
}

Test(ticker, a_stopped_timer_does_not_fire)
{
    go_timer *t = go_timer_new(5 * MS);
    cr_assert(go_timer_stop(t));
    cr_assert_not(go_timer_stop(t));
    cr_assert_eq(go_select(go_case_recv(go_timer_chan(t), NULL), go_case_timeout(15 * MS)), 1);
    go_timer_free(t);
}

/* Go 1.23: what was sent before the stop or the reset can't be received after it, and counts as not fired. */
Test(ticker, nothing_stale_after_stop_and_reset)
{
    int64_t at;
    go_timer *t = go_timer_new(0);
    while (go_len(go_timer_chan(t)) == 0)
        go_sleep(MS);
    cr_assert(go_timer_stop(t));
    cr_assert_eq(go_try_recv(go_timer_chan(t), &at), GO_RECV_EMPTY);
    go_timer_reset(t, 0);
    while (go_len(go_timer_chan(t)) == 0)
        go_sleep(MS);
    int64_t reset_at = go_now();
    cr_assert(go_timer_reset(t, 10 * MS));
    cr_assert(go_recv(go_timer_chan(t), &at));
    cr_assert_geq(at - reset_at, 10 * MS);
    go_timer_free(t);
}

/* Resets that come just as the timer fires, from two goroutines: the value received is never older than 'after the last reset'. */
static void resetter(go_timer *t, go_waitgroup *wg)
{
    for (int i = 0; i < 3000; i++) {
        go_timer_reset(t, i % 4 * 1000);
        if (i % 16 == 0)
            go_yield();
    }
    go_waitgroup_done(wg);
}

Test(ticker, resets_race_with_firing)
{
    go_timer *t = go_timer_new(0);
    for (int round = 0; round < 5; round++) {
        go_waitgroup wg = GO_WAITGROUP_INIT;
        go_waitgroup_add(&wg, 2);
        go(resetter, t, &wg);
        go(resetter, t, &wg);
        for (int i = 0; i < 200; i++)
            go_select(go_case_recv(go_timer_chan(t), NULL), go_case_timeout(10000));
        go_waitgroup_wait(&wg);
        for (int i = 0; i < 200; i++) {
            int64_t now = go_now(), at;
            go_timer_reset(t, 20000);
            if (i % 2)
                go_sleep(i * 300);
            go_recv(go_timer_chan(t), &at);
            cr_assert_geq(at - now, 20000);
            cr_assert_eq(go_try_recv(go_timer_chan(t), &at), GO_RECV_EMPTY);
        }
        cr_assert_not(go_timer_stop(t));
    }
    go_timer_free(t);
}

static go_chan(uint64_t) called;

static void call(void *arg)
{
    *(int *)arg += 1;
    go_sleep(1000);   /* a goroutine of its own: it may block */
    go_send(called, go_id());
}

Test(ticker, after_func_runs_in_a_goroutine_of_its_own)
{
    called = go_make_chan(uint64_t, 0);
    int n = 0;
    uint64_t id = 0, again = 0;
    int64_t start = go_now();
    go_timer *t = go_after_func(5 * MS, call, &n);
    cr_assert_null(go_timer_chan(t));
    go_recv(called, &id);
    cr_assert_geq(go_now() - start, 5 * MS);
    cr_assert_neq(id, go_id());
    cr_assert_not(go_timer_reset(t, 0));
    go_recv(called, &again);
    cr_assert_neq(again, id);
    cr_assert_eq(n, 2);
    cr_assert_not(go_timer_reset(t, 20 * MS));
    cr_assert(go_timer_stop(t));
    go_sleep(30 * MS);
    cr_assert_eq(n, 2);
    go_timer_free(t);
    cr_assert_eq(leakcheck(), 0);
}

static _Atomic(int) freed;
static go_timer *_Atomic own[200];

static void free_own(void *arg)
{
    go_timer *_Atomic *slot = arg;
    go_timer *t;
    while (!(t = *slot))
        go_yield();
    go_timer_free(t);
    freed++;
}

/* The function may free its timer although the thread that fired it is just leaving it. */
Test(ticker, after_func_may_free_its_own_timer)
{
    for (int i = 0; i < 200; i++)
        own[i] = go_after_func(i % 3 * 1000, free_own, &own[i]);
    for (int i = 0; i < 5000 && freed < 200; i++)
        go_sleep(MS);
    cr_assert_eq(freed, 200);
}

Test(ticker, beats_steadily)
{
    int64_t start = go_now(), at = 0, last = start;
    go_ticker *t = go_ticker_new(4 * MS);
    for (int i = 1; i <= 20; i++) {
        cr_assert(go_recv(go_ticker_chan(t), &at));
        cr_assert_gt(at, last);
        last = at;
    }
    cr_assert_geq(at - start, 20 * 4 * MS);   /* none early; and no drift: */
    cr_assert_lt(at - start, 20 * 4 * MS + GO_SECOND);
    go_ticker_free(t);
}

/* A slow receiver finds one tick waiting, not all that it missed, and then the beat again. */
Test(ticker, drops_ticks_for_a_slow_receiver)
{
    int64_t at;
    int64_t start = go_now();
    go_ticker *t = go_ticker_new(10 * MS);
    go_sleep(105 * MS);
    cr_assert_eq(go_len(go_ticker_chan(t)), 1);
    cr_assert_eq(go_try_recv(go_ticker_chan(t), &at), GO_RECV_VALUE);
    cr_assert_geq(at - start, 10 * MS);
    int left = 0;
    while (go_try_recv(go_ticker_chan(t), &at) == GO_RECV_VALUE)
        left++;
    cr_assert_leq(left, 1);
    cr_assert(go_recv(go_ticker_chan(t), &at));
    go_ticker_free(t);
}

Test(ticker, stop_and_reset)
{
    int64_t at;
    go_ticker *t = go_ticker_new(2 * MS);
    go_recv(go_ticker_chan(t), NULL);
    go_sleep(5 * MS);
    go_ticker_stop(t);
    cr_assert_eq(go_try_recv(go_ticker_chan(t), &at), GO_RECV_EMPTY);
    cr_assert_eq(go_select(go_case_recv(go_ticker_chan(t), NULL), go_case_timeout(10 * MS)), 1);
    int64_t now = go_now();
    go_ticker_reset(t, 15 * MS);
    go_recv(go_ticker_chan(t), &at);
    cr_assert_geq(at - now, 15 * MS);
    go_ticker_reset(t, MS);
    for (int i = 0; i < 5; i++)
        go_recv(go_ticker_chan(t), NULL);
    go_ticker_free(t);
}

/* Many tickers with tiny periods, stopped and freed while they fire on all processors, and Ps that retire meanwhile. */
static void churn(int seed, go_waitgroup *wg)
{
    for (int i = 0; i < 150; i++) {
        go_ticker *t = go_ticker_new(1 + (seed * 7919 + i * 104729) % 20000);
        if (i % 3)
            go_recv(go_ticker_chan(t), NULL);
        if (i % 5 == 0)
            go_ticker_reset(t, 100);
        if (i % 7 == 0)
            go_ticker_stop(t);
        go_ticker_free(t);
    }
    go_waitgroup_done(wg);
}

Test(ticker, churn)
{
    go_waitgroup wg = GO_WAITGROUP_INIT;
    go_waitgroup_add(&wg, 16);
    for (int i = 0; i < 16; i++)
        go(churn, i, &wg);
    for (int i = 0; i < 20; i++) {
        go_maxprocs(1 + i % 4);
        go_sleep(MS);
    }
    go_waitgroup_wait(&wg);
    cr_assert_eq(leakcheck(), 0);
}

static go_timer *_Atomic restarted;
static int runs;
static go_chan(bool) ended;

static void run_again(void *arg)
{
    (void)arg;
    while (!restarted)
        go_yield();
    if (++runs < 50)
        cr_expect_not(go_timer_reset(restarted, runs % 2 * GO_MICROSECOND), "it has fired: that is this run");
    else
        go_send(ended, go_timer_stop(restarted));
}

/* A function may start its own timer again, and stop it. */
Test(ticker, after_func_may_reset_its_own_timer)
{
    bool stopped = true;
    ended = go_make_chan(bool, 0);
    restarted = go_after_func(0, run_again, NULL);
    go_recv(ended, &stopped);
    cr_assert_not(stopped);
    go_sleep(2 * MS);
    cr_assert_eq(runs, 50);
    go_timer_free(restarted);
    go_chan_free(ended);
}
