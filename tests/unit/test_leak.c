/* leakcheck's counting and options, through the API. (The report's text: tests/report/leak.) */
#include <criterion/criterion.h>
#include <gort.h>
#include <pthread.h>
#include <stdlib.h>

static void waits(go_recv_chan(int) c)
{
    go_recv(c, NULL);
}

static void *stays(void *c)
{
    go_recv((go_chan(int))c, NULL);
    return NULL;
}

static int count_now(void)
{
    return leakcheck_with(&(struct leakcheck_options){.max_wait_ns = 1, .quiet = true});
}

Test(leak, counts_goroutines_but_not_threads_nor_the_caller)
{
    go_chan(int) c = go_make_chan(int, 0);
    pthread_t t;
    cr_assert_eq(leakcheck(), 0);
    pthread_create(&t, NULL, stays, c);
    for (int i = 0; i < 5; i++)
        go(waits, c);
    go_sleep(5 * GO_MILLISECOND);
    cr_assert_eq(count_now(), 5);
    go_close(c);
    pthread_join(t, NULL);
    cr_assert_eq(leakcheck(), 0);
    go_chan_free(c);
}

Test(leak, current_lists_all_and_ends_with_zero)
{
    go_chan(int) c = go_make_chan(int, 0);
    go(waits, c);
    go(waits, c);
    uint64_t *ids = leakcheck_current();
    int n = 0;
    while (ids[n])
        n++;
    cr_assert_eq(n, 3);
    free(ids);
    go_close(c);
}
