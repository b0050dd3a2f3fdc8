/* The cond: signals in order of arrival, none lost, none invented; timeouts. */
#include <criterion/criterion.h>
#include <gort.h>

#include "parked.h"

static go_cond c;
static go_mutex m;
static go_waitgroup wg;
static int waiting, order[8], n;

static void waits(int me)
{
    go_mutex_lock(&m);
    waiting++;
    go_cond_wait(&c, &m);
    order[n++] = me;
    go_mutex_unlock(&m);
    go_waitgroup_done(&wg);
}

static void start_waiters(int count)
{
    go_waitgroup_add(&wg, count);
    for (int i = 0; i < count; i++) {
        go(waits, i);
        for (;;) {   /* one after the other */
            go_mutex_lock(&m);
            bool there = waiting == i + 1;
            go_mutex_unlock(&m);
            if (there)
                break;
            go_yield();
        }
    }
}

/* How many have returned from their wait, when of all others `left` are parked. */
static int woken(int left)
{
    await_parked(GORT_WAIT_COND, left);
    go_sleep(2 * GO_MILLISECOND);
    await_parked(GORT_WAIT_MUTEX, 0);
    go_mutex_lock(&m);
    int k = n;
    go_mutex_unlock(&m);
    return k;
}

Test(cond, signal_wakes_one_first_come_first_served)
{
    start_waiters(4);
    cr_assert_eq(woken(4), 0);
    for (int i = 0; i < 4; i++) {
        go_cond_signal(&c);
        cr_assert_eq(woken(3 - i), i + 1);
    }
    go_waitgroup_wait(&wg);
    for (int i = 0; i < 4; i++)
        cr_assert_eq(order[i], i);
}

Test(cond, broadcast_wakes_all_that_wait)
{
    start_waiters(5);
    go_cond_signal(&c);
    cr_assert_eq(woken(4), 1);
    go_cond_broadcast(&c);
    go_waitgroup_wait(&wg);
    cr_assert_eq(n, 5);
}

Test(cond, signal_without_waiters_is_forgotten)
{
    go_cond_signal(&c);
    go_cond_broadcast(&c);
    go_mutex_lock(&m);
    cr_assert_not(go_cond_wait_timeout(&c, &m, 5 * GO_MILLISECOND));
    go_mutex_unlock(&m);
}

Test(cond, timeout)
{
    go_mutex_lock(&m);
    int64_t t = go_now();
    cr_assert_not(go_cond_wait_timeout(&c, &m, 20 * GO_MILLISECOND));
    cr_assert_geq(go_now() - t, 20 * GO_MILLISECOND);
    cr_assert_not(go_mutex_try_lock(&m), "the mutex must be locked again");
    cr_assert_not(go_cond_wait_timeout(&c, &m, 0));
    cr_assert_not(go_cond_wait_timeout(&c, &m, -5));
    cr_assert_not(go_mutex_try_lock(&m));
    go_mutex_unlock(&m);
}

static void signals_later(void)
{
    go_sleep(5 * GO_MILLISECOND);
    go_mutex_lock(&m);
    go_cond_signal(&c);
    go_mutex_unlock(&m);
}

Test(cond, signalled_before_the_timeout)
{
    go_mutex_lock(&m);
    go(signals_later);
    int64_t t = go_now();
    cr_assert(go_cond_wait_timeout(&c, &m, 10 * GO_SECOND));
    cr_assert_lt(go_now() - t, 5 * GO_SECOND);
    go_mutex_unlock(&m);
}

/* One who gave up takes no signal: it goes to the one behind. */
static void gives_up(void)
{
    go_mutex_lock(&m);
    waiting++;
    cr_assert_not(go_cond_wait_timeout(&c, &m, 50 * GO_MILLISECOND));
    go_mutex_unlock(&m);
}

Test(cond, a_timed_out_waiter_takes_no_signal)
{
    go(gives_up);
    await_parked(GORT_WAIT_COND, 1);
    waiting = 0;
    start_waiters(1);
    while (go_num_goroutine() > 2)   /* main and the one behind */
        go_sleep(GO_MILLISECOND);
    await_parked(GORT_WAIT_COND, 1);
    go_cond_signal(&c);
    go_waitgroup_wait(&wg);
    cr_assert_eq(n, 1);
}

/* Two goroutines take turns; a signal lost between unlock and park would stop them for ever. */
enum { TURNS = 20000 };
static int turn;

static void take_turns(int me)
{
    for (int i = 0; i < TURNS; i++) {
        go_mutex_lock(&m);
        while (turn % 2 != me)
            go_cond_wait(&c, &m);
        turn++;
        go_mutex_unlock(&m);
        go_cond_signal(&c);
    }
    go_waitgroup_done(&wg);
}

Test(cond, no_signal_is_lost, .timeout = 60)
{
    go_waitgroup_add(&wg, 2);
    go(take_turns, 0);
    go(take_turns, 1);
    go_waitgroup_wait(&wg);
    cr_assert_eq(turn, 2 * TURNS);
}

/* The unlock in a wait hands the mutex to one that starves for it, which runs at once and signals: the waiter is queued then, but does not sleep yet.
 * On one P everything happens in this order. */
static _Atomic(int) returned;

static void starves_then_signals(void)
{
    go_mutex_lock(&m);
    cr_assert_eq(returned, 0);
    go_cond_signal(&c);
    go_mutex_unlock(&m);
    go_waitgroup_done(&wg);
}

static void waits_after_a_hand_over(void)
{
    go_mutex_lock(&m);
    go(starves_then_signals);
    await_parked(GORT_WAIT_MUTEX, 1);
    go_sleep(2 * GO_MILLISECOND);
    go_mutex_unlock(&m);   /* wakes it, */
    go_mutex_lock(&m);     /* but takes the mutex first: it has waited for more than 1 ms, and marks it */
    await_parked(GORT_WAIT_MUTEX, 1);
    go_cond_wait(&c, &m);
    returned = 1;
    go_mutex_unlock(&m);
    go_waitgroup_done(&wg);
}

Test(cond, signalled_before_it_sleeps, .timeout = 30)
{
    go_maxprocs(1);
    for (int i = 0; i < 20; i++) {
        returned = 0;
        go_waitgroup_add(&wg, 2);
        go(waits_after_a_hand_over);
        go_waitgroup_wait(&wg);
        cr_assert_eq(returned, 1);
        cr_assert_eq(m.state, 0);
    }
}
