/* Once: it runs once, everybody waits for its end, and it counts as done when it ends by go_exit(). */
#include <criterion/criterion.h>
#include <gort.h>
#include <stdlib.h>
#include <string.h>

#include "parked.h"

static go_once once;
static go_waitgroup wg;
static _Atomic(int) ran, done;

static void slow(void *arg)
{
    ++ran;
    await_parked(GORT_WAIT_ONCE, 19);
    done = *(int *)arg;
}

static void call(int *value)
{
    go_once_do(&once, slow, value);
    cr_assert_eq(done, 7, "returned before the function had ended");
    go_waitgroup_done(&wg);
}

Test(once, runs_once_and_all_wait_for_its_end)
{
    int seven = 7;
    go_waitgroup_add(&wg, 20);
    for (int i = 0; i < 20; i++)
        go(call, &seven);
    go_waitgroup_wait(&wg);
    go_once_do(&once, slow, &seven);
    cr_assert_eq(ran, 1);
}

static void exits(void *arg)
{
    (void)arg;
    ++ran;
    await_parked(GORT_WAIT_ONCE, 3);
    go_exit();
}

static void call_exiting(void)
{
    go_once_do(&once, exits, NULL);
    cr_assert_fail("it came back from go_exit()");
}

static void wait_for_it(void)
{
    go_once_do(&once, exits, NULL);
    ++done;
    go_waitgroup_done(&wg);
}

Test(once, exit_counts_as_done)
{
    go_waitgroup_add(&wg, 3);
    go(call_exiting);
    while (!ran)
        go_yield();
    for (int i = 0; i < 3; i++)
        go(wait_for_it);
    go_waitgroup_wait(&wg);
    cr_assert_eq(ran, 1);
    cr_assert_eq(done, 3);
}

static void inner(void *arg)
{
    ++*(int *)arg;
    go_exit();
}

static void outer(void *arg)
{
    go_once second = GO_ONCE_INIT;
    go_once_do(&second, inner, arg);
}

static void nest(int *n)
{
    go_once_do(&once, outer, n);
}

/* An exit from the inner one ends the outer one too. */
Test(once, nested_exit)
{
    int n = 0;
    go(nest, &n);
    while (go_num_goroutine() > 1)
        go_yield();
    go_once_do(&once, outer, &n);
    cr_assert_eq(n, 1);
}

struct shared {
    go_once once;
    _Atomic(int) returned;
};

static void nothing(void *arg)
{
    (void)arg;
}

static void frees(struct shared *s)
{
    go_once_do(&s->once, nothing, NULL);
    if (++s->returned == 3) {
        memset(s, 0xff, sizeof *s);
        free(s);
    }
    go_waitgroup_done(&wg);
}

/* Whoever has run the function touches the object no more when others have returned. */
Test(once, memory_is_the_last_callers)
{
    for (int i = 0; i < 5000; i++) {
        struct shared *s = calloc(1, sizeof *s);
        go_waitgroup_add(&wg, 3);
        for (int k = 0; k < 3; k++)
            go(frees, s);
        go_waitgroup_wait(&wg);
    }
}
