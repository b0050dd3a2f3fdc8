/* A mutex is contended from the first wait for it on, and quiet again when nobody has waited for a while; its unlock is right in either state. */
#include <criterion/criterion.h>
#include "parked.h"

static go_mutex m;
static go_waitgroup wg;
static long counter;

static bool is_quiet(void)
{
    return __atomic_load_n(&gort_mutex_contended[gort_mutex_bucket(&m)], __ATOMIC_RELAXED) == 0;
}

static void locks(int n)
{
    for (int i = 0; i < n; i++) {
        go_mutex_lock(&m);
        counter++;
        go_mutex_unlock(&m);
    }
    go_waitgroup_done(&wg);
}

/* Somebody waits while we hold it: then it can't be quiet. */
static void let_wait(void)
{
    go_waitgroup_add(&wg, 1);
    go_mutex_lock(&m);
    go(locks, 1);
    await_parked(GORT_WAIT_MUTEX, 1);
    cr_assert_not(is_quiet());
    go_mutex_unlock(&m);
    go_waitgroup_wait(&wg);
}

/* The monitor looks while goroutines run. */
static bool becomes_quiet(int64_t within)
{
    for (int64_t until = go_now() + within; go_now() < until;) {
        if (is_quiet())
            return true;
        go_yield();
    }
    return false;
}

Test(contended, alone_it_stays_quiet)
{
    go_waitgroup_add(&wg, 1);
    locks(1000);
    cr_assert(is_quiet());
    cr_assert(go_mutex_try_lock(&m));
    cr_assert_not(go_mutex_try_lock(&m));
    go_mutex_unlock(&m);
    cr_assert(is_quiet());
}

Test(contended, by_a_wait_and_quiet_after_a_while)
{
    for (int i = 1; i <= 3; i++) {
        let_wait();
        cr_assert_eq(counter, i);
        cr_assert(becomes_quiet(20 * GO_SECOND), "round %d", i);
        cr_assert_eq(m.state, 0);
    }
}

static void waits_long(void)
{
    go_mutex_lock(&m);
    counter = -1;
    go_mutex_unlock(&m);
    go_waitgroup_done(&wg);
}

/* As long as somebody is parked it does not become quiet, and the unlock wakes him. */
Test(contended, not_quiet_with_somebody_parked)
{
    go_waitgroup_add(&wg, 1);
    go_mutex_lock(&m);
    go(waits_long);
    await_parked(GORT_WAIT_MUTEX, 1);
    cr_assert_not(becomes_quiet(600 * GO_MILLISECOND));
    go_mutex_unlock(&m);
    go_waitgroup_wait(&wg);
    cr_assert_eq(counter, -1);
}

/* Others of the same bucket are contended with it, and work. */
Test(contended, neighbours)
{
    static go_mutex others[4096];
    let_wait();
    int shared = 0;
    for (int i = 0; i < 4096; i++) {
        shared += gort_mutex_bucket(&others[i]) == gort_mutex_bucket(&m);
        go_mutex_lock(&others[i]);
        cr_assert_not(go_mutex_try_lock(&others[i]));
        go_mutex_unlock(&others[i]);
        cr_assert_eq(others[i].state, 0);
    }
    cr_assert_gt(shared, 0);
}

Test(contended, unlock_of_unlocked_is_fatal, .exit_code = 2)
{
    go_mutex_unlock(&m);
}

Test(contended, unlock_of_unlocked_is_fatal_when_contended, .exit_code = 2)
{
    let_wait();
    go_mutex_unlock(&m);
}
