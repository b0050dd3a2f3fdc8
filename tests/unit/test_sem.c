/* The semaphore: permits, several at a time, first come first served, timeouts. */
#include <criterion/criterion.h>
#include <gort.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "parked.h"

static go_sem s;
static go_waitgroup wg;
static _Atomic(int) inside, most, got, order[4];

static void uses(int n, int weight)
{
    for (int i = 0; i < n; i++) {
        go_sem_acquire(&s, weight);
        int now = atomic_fetch_add(&inside, weight) + weight;
        if (now > most)
            most = now;
        if (i % 8 == 0)
            go_yield();
        inside -= weight;
        go_sem_release(&s, weight);
    }
    go_waitgroup_done(&wg);
}

Test(sem, never_more_than_its_permits)
{
    go_sem_init(&s, 4);
    go_waitgroup_add(&wg, 16);
    for (int i = 0; i < 16; i++)
        go(uses, 2000, 1 + i % 4);
    go_waitgroup_wait(&wg);
    cr_assert_eq(inside, 0);
    cr_assert_leq(most, 4);
    cr_assert_geq(most, 2);
    cr_assert(go_sem_try_acquire(&s, 4), "permits were lost");
    cr_assert_not(go_sem_try_acquire(&s, 1), "permits were made");
}

static void acquires(int me, int n)
{
    go_sem_acquire(&s, n);
    order[got++] = me;
    go_waitgroup_done(&wg);
}

Test(sem, zeroed_has_no_permits)
{
    cr_assert_not(go_sem_try_acquire(&s, 1));
    cr_assert(go_sem_try_acquire(&s, 0));
    go_waitgroup_add(&wg, 1);
    go(acquires, 1, 2);
    await_parked(GORT_WAIT_SEM, 1);
    go_sem_release(&s, 1);
    go_sleep(10 * GO_MILLISECOND);
    cr_assert_eq(got, 0);
    go_sem_release(&s, 1);
    go_waitgroup_wait(&wg);
    cr_assert_eq(got, 1);
}

/* A small request behind a large one waits, though there are permits for it. */
Test(sem, a_large_request_is_not_overtaken)
{
    go_sem_init(&s, 2);
    go_waitgroup_add(&wg, 2);
    go(acquires, 1, 3);
    await_parked(GORT_WAIT_SEM, 1);
    cr_assert_not(go_sem_try_acquire(&s, 1));
    go(acquires, 2, 1);
    await_parked(GORT_WAIT_SEM, 2);
    cr_assert_eq(got, 0);
    go_sem_release(&s, 1);
    while (go_num_goroutine() > 2)
        go_yield();
    cr_assert_eq(got, 1);
    cr_assert_eq(order[0], 1);
    go_sem_release(&s, 1);
    go_waitgroup_wait(&wg);
    cr_assert_eq(order[1], 2);
}

Test(sem, timeout)
{
    go_sem_init(&s, 1);
    int64_t t = go_now();
    cr_assert_not(go_sem_acquire_timeout(&s, 2, 20 * GO_MILLISECOND));
    cr_assert_geq(go_now() - t, 20 * GO_MILLISECOND);
    cr_assert_not(go_sem_acquire_timeout(&s, 2, 0));
    cr_assert(go_sem_acquire_timeout(&s, 1, 0));
    go_sem_release(&s, 1);
    cr_assert(go_sem_acquire_timeout(&s, 1, GO_SECOND));
    cr_assert_eq(s.state, 0, "a mark was left");
}

/* Who gives up does not hold up those behind it. */
static void gives_up(void)
{
    cr_assert_not(go_sem_acquire_timeout(&s, 5, 300 * GO_MILLISECOND));
    go_waitgroup_done(&wg);
}

Test(sem, giving_up_lets_those_behind_go_on, .timeout = 30)
{
    go_sem_init(&s, 2);
    go_waitgroup_add(&wg, 3);
    go(gives_up);
    await_parked(GORT_WAIT_SEM, 1);
    go(acquires, 1, 1);
    go(acquires, 2, 1);
    await_parked(GORT_WAIT_SEM, 3);
    cr_assert_eq(got, 0);
    go_waitgroup_wait(&wg);
    cr_assert_eq(got, 2);
}

static void releases(go_sem *x)
{
    go_sem_release(x, 1);
    go_waitgroup_done(&wg);
}

/* A release whose permits have let somebody go on touches the semaphore no more. */
Test(sem, memory_is_the_acquirers)
{
    for (int i = 0; i < 5000; i++) {
        go_sem *x = calloc(1, sizeof *x);
        go_waitgroup_add(&wg, 2);
        go(releases, x);
        go(releases, x);
        go_sem_acquire(x, 2);
        memset(x, 0xff, sizeof *x);
        free(x);
        go_waitgroup_wait(&wg);
    }
}
