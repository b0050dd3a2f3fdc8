/* Error groups: the first error wins and cancels; the limit holds; nothing is lost under load. */
#include <criterion/criterion.h>
#include <gort.h>
#include <stdatomic.h>

static _Atomic(int) ran, now_running, most;

static int succeed(void *arg)
{
    (void)arg;
    ran++;
    return 0;
}

static int fail_with(void *arg)
{
    return *(int *)arg;
}

Test(errgroup, zero_value_waits_for_all)
{
    go_errgroup g = GO_ERRGROUP_INIT;
    cr_assert_eq(go_errgroup_wait(&g), 0);
    for (int i = 0; i < 1000; i++)
        go_errgroup_go(&g, succeed, NULL);
    cr_assert_eq(go_errgroup_wait(&g), 0);
    cr_assert_eq(ran, 1000);
}

static go_chan(int) order;

static int wait_then_fail(void *arg)
{
    int v;
    go_recv(order, &v);
    return *(int *)arg;
}

Test(errgroup, the_first_error_is_the_result)
{
    int first = GO_ERR_EOF, second = GO_ERR_CLOSED;
    order = go_make_chan(int, 0);
    go_errgroup g = GO_ERRGROUP_INIT;
    go_errgroup_go(&g, wait_then_fail, &second);
    go_errgroup_go(&g, succeed, NULL);
    go_errgroup_go(&g, fail_with, &first);
    go_sleep(20 * GO_MILLISECOND);
    go_send(order, 1);
    cr_assert_eq(go_errgroup_wait(&g), GO_ERR_EOF);
}

static int until_cancelled(void *arg)
{
    go_context *c = arg;
    go_recv(go_context_done(c), NULL);
    return go_context_err(c);
}

Test(errgroup, the_first_error_cancels_the_context)
{
    int err = GO_ERR_EOF;
    go_errgroup g;
    go_context *c = go_errgroup_with_context(&g, go_context_background());
    for (int i = 0; i < 10; i++)
        go_errgroup_go(&g, until_cancelled, c);
    cr_assert_eq(go_context_err(c), 0);
    go_errgroup_go(&g, fail_with, &err);
    cr_assert_eq(go_errgroup_wait(&g), GO_ERR_EOF);
    cr_assert_eq(go_context_err(c), GO_ERR_CANCELED);
    cr_assert_eq(go_context_cause(c), GO_ERR_EOF);
    go_context_free(c);
}

Test(errgroup, the_wait_cancels_the_context)
{
    go_errgroup g;
    go_context *parent = go_context_with_cancel(go_context_background()), *c = go_errgroup_with_context(&g, parent);
    go_errgroup_go(&g, succeed, NULL);
    cr_assert_eq(go_errgroup_wait(&g), 0);
    cr_assert_eq(go_context_err(c), GO_ERR_CANCELED);
    cr_assert_eq(go_context_err(parent), 0);
    go_context_free(c);
    go_context_free(parent);
}

static int count_running(void *arg)
{
    (void)arg;
    int n = ++now_running, m = most;
    while (n > m && !atomic_compare_exchange_weak(&most, &m, n)) {}
    if (ran++ % 7 == 0)
        go_sleep(10000);
    else
        go_yield();
    now_running--;
    return 0;
}

Test(errgroup, limit)
{
    for (int limit = 1; limit <= 8; limit++) {
        ran = most = 0;
        go_errgroup g = GO_ERRGROUP_INIT;
        go_errgroup_set_limit(&g, limit);
        for (int i = 0; i < 500; i++)
            go_errgroup_go(&g, count_running, NULL);
        cr_assert_eq(go_errgroup_wait(&g), 0);
        cr_assert_eq(ran, 500);
        cr_assert_leq(most, limit);
        go_errgroup_set_limit(&g, -1);
        for (int i = 0; i < 50; i++)
            go_errgroup_go(&g, count_running, NULL);
        go_errgroup_wait(&g);
        cr_assert_eq(ran, 550);
    }
}

static int hold_place(void *arg)
{
    (void)arg;
    go_recv(order, NULL);
    return 0;
}

Test(errgroup, try_go)
{
    order = go_make_chan(int, 0);
    go_errgroup g = GO_ERRGROUP_INIT;
    go_errgroup_set_limit(&g, 2);
    cr_assert(go_errgroup_try_go(&g, hold_place, NULL));
    cr_assert(go_errgroup_try_go(&g, hold_place, NULL));
    cr_assert_not(go_errgroup_try_go(&g, succeed, NULL));
    go_send(order, 1);
    bool started = false;
    for (int i = 0; i < 1000 && !started; i++) {
        started = go_errgroup_try_go(&g, succeed, NULL);
        go_sleep(GO_MILLISECOND);
    }
    cr_assert(started);
    go_send(order, 1);
    go_errgroup_wait(&g);
    go_errgroup_set_limit(&g, 0);
    cr_assert_not(go_errgroup_try_go(&g, succeed, NULL));
}

/* Several goroutines add to one limited group: every waiter for a place gets one in the end. */
static void add_many(go_errgroup *g, go_waitgroup *wg)
{
    for (int i = 0; i < 200; i++)
        go_errgroup_go(g, count_running, NULL);
    go_waitgroup_done(wg);
}

Test(errgroup, contended_limit)
{
    for (int round = 0; round < 10; round++) {
        ran = most = 0;
        go_errgroup g = GO_ERRGROUP_INIT;
        go_waitgroup wg = GO_WAITGROUP_INIT;
        go_errgroup_set_limit(&g, 1 + round % 3);
        go_waitgroup_add(&wg, 8);
        for (int i = 0; i < 8; i++)
            go(add_many, &g, &wg);
        go_waitgroup_wait(&wg);
        go_errgroup_wait(&g);
        cr_assert_eq(ran, 1600);
        cr_assert_leq(most, 1 + round % 3);
    }
    cr_assert_eq(leakcheck(), 0);
}

static int exits(void *arg)
{
    (void)arg;
    go_exit();
}

/* A function that ends by go_exit() gives its place back and doesn't keep the wait waiting. */
Test(errgroup, go_exit_in_a_function, .timeout = 30)
{
    go_errgroup g = GO_ERRGROUP_INIT;
    go_errgroup_set_limit(&g, 2);
    for (int i = 0; i < 20; i++)
        go_errgroup_go(&g, exits, NULL);
    cr_assert_eq(go_errgroup_wait(&g), 0);
}
