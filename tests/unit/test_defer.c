/* Deferred calls. (With panics: report/crash.) */
#include <criterion/criterion.h>
#include <gort.h>
#include <string.h>

static char said[100];
static void say(const char *s)
{
    strcat(said, s);
}

static int leaves_early(int how)
{
    go_defer(say, "a");
    for (int i = 0; i < 3; i++) {
        go_defer(say, "i");
        if (how == 1 && i == 1)
            return 1;
        if (how == 2)
            break;
    }
    go_defer(say, "b");
    return 0;
}

Test(defer, runs_at_the_end_of_the_block_however_it_is_left)
{
    leaves_early(0);
    cr_assert_str_eq(said, "iiiba");
    said[0] = 0;
    leaves_early(1);
    cr_assert_str_eq(said, "iia");
    said[0] = 0;
    leaves_early(2);
    cr_assert_str_eq(said, "iba");
}

static void unlock(go_mutex *m)
{
    go_mutex_unlock(m);
}

static void exits(go_mutex *m, go_waitgroup *wg)
{
    go_defer(go_waitgroup_done, wg);
    go_mutex_lock(m);
    go_defer(unlock, m);
    go_yield();
    go_exit();
}

Test(defer, runs_on_go_exit)
{
    go_mutex m = GO_MUTEX_INIT;
    go_waitgroup wg = GO_WAITGROUP_INIT;
    go_waitgroup_add(&wg, 10);
    for (int i = 0; i < 10; i++)
        go(exits, &m, &wg);
    go_waitgroup_wait(&wg);
    cr_assert(go_mutex_try_lock(&m));
}

static void sleeps(int *n)
{
    go_sleep(1000);
    ++*n;
}

static void with_sleepers(int *n, go_waitgroup *wg)
{
    go_defer(go_waitgroup_done, wg);
    {
        go_defer(sleeps, n);
        go_defer(sleeps, n);
        go_sleep(1000);
    }
    go_defer(sleeps, n);
    go_exit();
}

Test(defer, a_deferred_call_may_park)
{
    int n[50] = {0};
    go_waitgroup wg = GO_WAITGROUP_INIT;
    go_waitgroup_add(&wg, 50);
    for (int i = 0; i < 50; i++)
        go(with_sleepers, &n[i], &wg);
    go_waitgroup_wait(&wg);
    for (int i = 0; i < 50; i++)
        cr_assert_eq(n[i], 3);
}
