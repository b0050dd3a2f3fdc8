/* The mutex: exclusion, trying, being unlocked by another goroutine, and that nobody starves. */
#include <criterion/criterion.h>
#include <gort.h>
#include <stdlib.h>
#include <string.h>

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

static _Atomic(bool) stop;

/* Locks again as soon as it has unlocked, and sleeps inside: who is woken finds it locked each time. */
static void greedy(void)
{
    while (!stop) {
        go_mutex_lock(&m);
        go_sleep(100 * GO_MICROSECOND);
        go_mutex_unlock(&m);
    }
    go_waitgroup_done(&wg);
}

static void modest(go_send_chan(int) done)
{
    for (int i = 0; i < 20; i++) {
        go_sleep(100 * GO_MICROSECOND);
        go_mutex_lock(&m);
        go_mutex_unlock(&m);
    }
    go_send(done, 1);
}

Test(mutex, a_tight_loop_does_not_starve_another)
{
    go_chan(int) done = go_make_chan(int, 1);
    go_waitgroup_add(&wg, 1);
    go(greedy);
    go(modest, done);
    int late = go_select(go_case_recv(done, NULL), go_case_timeout(10 * GO_SECOND));
    stop = true;
    cr_assert_eq(late, 0, "the other did not get the mutex 20 times in 10 s");
    go_waitgroup_wait(&wg);
    go_chan_free(done);
}

/* The same on one P, with a holder that computes: nobody is there to spin. */
static void greedy_computes(void)
{
    while (!stop) {
        go_mutex_lock(&m);
        for (int64_t until = go_now() + 200 * GO_MICROSECOND; go_now() < until;) {
        }
        go_mutex_unlock(&m);
    }
    go_waitgroup_done(&wg);
}

Test(mutex, a_tight_loop_does_not_starve_another_on_one_p)
{
    go_maxprocs(1);
    go_chan(int) done = go_make_chan(int, 1);
    go_waitgroup_add(&wg, 1);
    go(greedy_computes);
    go(modest, done);
    int late = go_select(go_case_recv(done, NULL), go_case_timeout(10 * GO_SECOND));
    stop = true;
    cr_assert_eq(late, 0, "the other did not get the mutex 20 times in 10 s");
    go_waitgroup_wait(&wg);
    go_chan_free(done);
}

/* Starvation mode ends: afterwards the word has no marks, and trying works. */
Test(mutex, is_plain_again_after_starvation)
{
    go_waitgroup_add(&wg, 8);
    for (int i = 0; i < 7; i++)
        go(increments, 300);
    go(greedy);
    go_sleep(20 * GO_MILLISECOND);
    stop = true;
    go_waitgroup_wait(&wg);
    cr_assert_eq(counter, 2100);
    go_mutex_lock(&m);
    go_mutex_unlock(&m);
    cr_assert_eq(m.state, 0);
    cr_assert(go_mutex_try_lock(&m));
    go_mutex_unlock(&m);
}

/* Who unlocks touches the mutex no more: the next holder overwrites and frees it. */
struct shared {
    go_mutex m;
    int users;
};

static void last_frees(struct shared *s)
{
    go_mutex_lock(&s->m);
    bool last = --s->users == 0;
    go_mutex_unlock(&s->m);
    if (last) {
        memset(s, 0xff, sizeof *s);
        free(s);
    }
    go_waitgroup_done(&wg);
}

Test(mutex, memory_is_the_last_holders)
{
    for (int i = 0; i < 5000; i++) {
        struct shared *s = calloc(1, sizeof *s);
        s->users = 4;
        go_waitgroup_add(&wg, 4);
        for (int k = 0; k < 4; k++)
            go(last_frees, s);
        go_waitgroup_wait(&wg);
    }
}
