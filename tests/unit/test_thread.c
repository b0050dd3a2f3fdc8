/* Threads that the runtime did not make use the whole API. */
#include <criterion/criterion.h>
#include <gort.h>
#include <pthread.h>

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
