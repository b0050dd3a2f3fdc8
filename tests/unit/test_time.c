/* Sleeping and go_after: never early; a timer that is freed does not fire. */
#include <criterion/criterion.h>
#include <gort.h>

Test(time, sleep_is_not_early)
{
    for (int64_t ns = 1; ns < 20 * GO_MILLISECOND; ns *= 7) {
        int64_t t = go_now();
        go_sleep(ns);
        cr_assert_geq(go_now() - t, ns);
    }
    go_sleep(0);
    go_sleep(-5);
}

static void sleeper(int ms, go_send_chan(int) c)
{
    go_sleep(ms * GO_MILLISECOND);
    go_send(c, ms);
}

Test(time, sleepers_wake_in_order)
{
    go_chan(int) c = go_make_chan(int, 0);
    int ms[] = {120, 30, 90, 60};
    for (int i = 0; i < 4; i++)
        go(sleeper, ms[i], c);
    for (int want = 30; want <= 120; want += 30) {
        int v;
        go_recv(c, &v);
        cr_assert_eq(v, want);
    }
}

Test(time, after_delivers_the_instant_once)
{
    int64_t t = go_now(), at = 0;
    go_recv_chan(int64_t) c = go_after(10 * GO_MILLISECOND);
    cr_assert(go_recv(c, &at));
    cr_assert_geq(at - t, 10 * GO_MILLISECOND);
    cr_assert_eq(go_try_recv(c, &at), GO_RECV_EMPTY);
    go_chan_free(c);
}

Test(time, freeing_stops_the_timer)
{
    for (int i = 0; i < 1000; i++) {
        go_recv_chan(int64_t) c = go_after(i % 3 ? GO_HOUR : 1000);
        if (i % 5 == 0)
            go_yield();
        go_chan_free(c);
    }
    go_sleep(2 * GO_MILLISECOND);
}
