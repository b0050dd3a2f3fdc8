/* The mutex: exclusion, trying, being unlocked by another goroutine. */
#include <criterion/criterion.h>
#include <gort.h>

static go_mutex m;
static go_waitgroup wg;
static long counter;

static void increments(int n)
{
    for (int i = 0; i < n; i++) {
        go_mutex_lock(&m);
        counter++;
        if (i % 64 == 0)
            go_yield();   /* with the lock held: others must wait */
        go_mutex_unlock(&m);
    }
    go_waitgroup_done(&wg);
}

Test(mutex, excludes)
{
    go_waitgroup_add(&wg, 20);
    for (int i = 0; i < 20; i++)
        go(increments, 5000);
    go_waitgroup_wait(&wg);
    cr_assert_eq(counter, 100000);
}

Test(mutex, try_lock)
{
    cr_assert(go_mutex_try_lock(&m));
    cr_assert_not(go_mutex_try_lock(&m));
    go_mutex_unlock(&m);
    cr_assert(go_mutex_try_lock(&m));
    go_mutex_unlock(&m);
}

static void unlocks(void)
{
    go_sleep(5 * GO_MILLISECOND);
    go_mutex_unlock(&m);
}

Test(mutex, another_goroutine_may_unlock)
{
    go_mutex_lock(&m);
    go(unlocks);
    go_mutex_lock(&m);
    go_mutex_unlock(&m);
}
