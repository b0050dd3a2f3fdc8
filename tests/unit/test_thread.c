/* Threads that the runtime did not make use the whole API. */
#include <criterion/criterion.h>
#include <gort.h>
#include <pthread.h>
#include <stdatomic.h>

static go_chan(int) c;

static void *sends(void *arg)
{
    for (int i = 0; i < 1000; i++)
        go_send(c, (int)(intptr_t)arg);
    return NULL;
}

Test(thread, threads_and_goroutines_share_channels)
{
    pthread_t t[4];
    c = go_make_chan(int, 3);
    for (int i = 0; i < 4; i++)
        pthread_create(&t[i], NULL, sends, (void *)(intptr_t)(i + 1));
    long sum = 0;
    for (int i = 0; i < 4000; i++) {
        int v;
        go_recv(c, &v);
        sum += v;
    }
    cr_assert_eq(sum, 10000);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    go_chan_free(c);
}

static void *asks(void *arg)
{
    *(uint64_t *)arg = go_id();
    return NULL;
}

Test(thread, is_a_goroutine_while_it_lives)
{
    cr_assert_eq(go_id(), 1);
    uint64_t last = 0;
    for (int i = 0; i < 50; i++) {
        pthread_t t;
        uint64_t id = 0;
        pthread_create(&t, NULL, asks, &id);
        pthread_join(t, NULL);
        cr_assert_gt(id, last);
        last = id;
    }
    cr_assert_eq(go_num_goroutine(), 1);
}

static void *exits(void *arg)
{
    go_sleep(1000);
    go_exit();
    return arg;
}

Test(thread, go_exit_ends_the_thread)
{
    pthread_t t;
    pthread_create(&t, NULL, exits, NULL);
    pthread_join(t, NULL);
    cr_assert_eq(go_num_goroutine(), 1);
}

static void wired(go_waitgroup *wg, int *moved)
{
    go_lock_os_thread();
    go_lock_os_thread();
    pthread_t me = pthread_self();
    for (int i = 0; i < 200; i++) {
        if (i % 2)
            go_sleep(20000);
        else
            go_yield();
        *moved += !pthread_equal(me, pthread_self());
        if (i == 100)
            go_unlock_os_thread();   /* still once locked */
    }
    go_unlock_os_thread();
    go_unlock_os_thread();   /* one too many: nothing happens */
    go_yield();
    go_waitgroup_done(wg);
}

static void noise(atomic_bool *stop, go_waitgroup *wg)
{
    while (!*stop)
        go_yield();
    go_waitgroup_done(wg);
}

/* A wired goroutine stays on its thread, beside others that keep every P busy; and ends wired. */
Test(thread, wired_goroutines_stay_on_their_thread)
{
    atomic_bool stop = false;
    int moved[8] = {0};
    go_waitgroup wg = GO_WAITGROUP_INIT, others = GO_WAITGROUP_INIT;
    go_waitgroup_add(&others, 4);
    for (int i = 0; i < 4; i++)
        go(noise, &stop, &others);
    go_waitgroup_add(&wg, 8);
    for (int i = 0; i < 8; i++)
        go(wired, &wg, &moved[i]);
    go_waitgroup_wait(&wg);
    stop = true;
    go_waitgroup_wait(&others);
    for (int i = 0; i < 8; i++)
        cr_assert_eq(moved[i], 0);
}

static void ends_wired(go_waitgroup *wg)
{
    go_lock_os_thread();
    go_waitgroup_done(wg);
}

Test(thread, a_goroutine_may_end_wired)
{
    go_waitgroup wg = GO_WAITGROUP_INIT;
    for (int i = 0; i < 500; i++) {
        go_waitgroup_add(&wg, 1);
        go(ends_wired, &wg);
        go_waitgroup_wait(&wg);
    }
    go_lock_os_thread();   /* no effect here */
    go_unlock_os_thread();
}
