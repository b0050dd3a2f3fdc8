/* The waitgroup: waiting, many waiters, use again, freeing right after the wait, and goroutines that it counts by itself. */
#include <criterion/criterion.h>
#include <gort.h>
#include <stdlib.h>
#include <string.h>

static void done_later(go_waitgroup *wg, int ns)
{
    go_sleep(ns);
    go_waitgroup_done(wg);
}

static void waits(go_waitgroup *wg, _Atomic(int) *n, go_waitgroup *all)
{
    go_waitgroup_wait(wg);
    ++*n;
    go_waitgroup_done(all);
}

Test(waitgroup, many_waiters_and_rounds)
{
    go_waitgroup wg = GO_WAITGROUP_INIT, all = GO_WAITGROUP_INIT;
    static _Atomic(int) n;
    for (int round = 1; round <= 5; round++) {
        go_waitgroup_add(&wg, 3);
        go_waitgroup_add(&all, 10);
        for (int i = 0; i < 10; i++)
            go(waits, &wg, &n, &all);
        for (int i = 0; i < 3; i++)
            go(done_later, &wg, 1000 * i);
        go_waitgroup_wait(&all);
        cr_assert_eq(n, 10 * round);
    }
}

Test(waitgroup, zero_does_not_wait)
{
    go_waitgroup wg = GO_WAITGROUP_INIT;
    go_waitgroup_wait(&wg);
    go_waitgroup_add(&wg, 2);
    go_waitgroup_add(&wg, -2);
    go_waitgroup_wait(&wg);
}

static void done(go_waitgroup *wg)
{
    go_waitgroup_done(wg);
}

/* Nobody may touch the waitgroup once a wait has returned: each is overwritten and freed at once. */
Test(waitgroup, memory_is_the_waiters_after_wait)
{
    for (int i = 0; i < 20000; i++) {
        go_waitgroup *wg = calloc(1, sizeof *wg);
        go_waitgroup_add(wg, 2);
        go(done, wg);
        go(done, wg);
        go_waitgroup_wait(wg);
        memset(wg, 0xff, sizeof *wg);
        free(wg);
    }
}

static void adds_one(void *arg)
{
    ++*(_Atomic(int) *)arg;
}

static void exits(void *arg)
{
    ++*(_Atomic(int) *)arg;
    go_exit();
}

/* go_waitgroup_go() adds and is done, however its function ends. */
Test(waitgroup, go)
{
    go_waitgroup wg = GO_WAITGROUP_INIT;
    _Atomic(int) n = 0;
    for (int i = 0; i < 50; i++) {
        go_waitgroup_go(&wg, adds_one, &n);
        go_waitgroup_go(&wg, exits, &n);
    }
    go_waitgroup_wait(&wg);
    cr_assert_eq(n, 100);
}
