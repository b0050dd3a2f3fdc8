/* Select: which case goes ahead, default, timeout, closed and nil channels, fairness, many cases. */
#include <criterion/criterion.h>
#include <gort.h>

Test(select, default_only_if_none_is_ready)
{
    go_chan(int) c = go_make_chan(int, 1);
    int v = 0;
    cr_assert_eq(go_select(go_case_recv(c, &v), go_case_default), 1);
    cr_assert_eq(go_select(go_case_default, go_case_send(c, 5)), 1);
    cr_assert_eq(go_select(go_case_default, go_case_send(c, 6)), 0, "the buffer is full");
    cr_assert_eq(go_select(go_case_recv(c, &v), go_case_default), 0);
    cr_assert_eq(v, 5);
    go_chan_free(c);
}

Test(select, timeout_is_not_early)
{
    go_chan(int) c = go_make_chan(int, 0);
    int64_t t = go_now();
    cr_assert_eq(go_select(go_case_recv(c, NULL), go_case_timeout(20 * GO_MILLISECOND)), 1);
    cr_assert_geq(go_now() - t, 20 * GO_MILLISECOND);
    cr_assert_eq(go_select(go_case_recv(c, NULL), go_case_timeout(0)), 1);
    cr_assert_eq(go_select(go_case_timeout(GO_HOUR), go_case_timeout(GO_MILLISECOND)), 1, "the shortest counts");
    cr_assert_eq(go_select(go_case_default, go_case_timeout(0)), 1, "it is ready at once");
    cr_assert_eq(go_select(go_case_default, go_case_timeout(1)), 0);
    go_chan_free(c);
}

Test(select, closed_is_ready_and_recv2_tells)
{
    go_chan(int) c = go_make_chan(int, 1);
    bool ok = false;
    int v = 9;
    go_send(c, 1);
    go_close(c);
    cr_assert_eq(go_select(go_case_recv2(c, &v, &ok)), 0);
    cr_assert(ok);
    cr_assert_eq(go_select(go_case_recv2(c, &v, &ok)), 0);
    cr_assert_not(ok);
    cr_assert_eq(v, 0);
    go_chan_free(c);
}

Test(select, nil_channel_is_never_ready)
{
    go_chan(int) nil = NULL, c = go_make_chan(int, 1);
    go_send(c, 1);
    for (int i = 0; i < 50; i++) {
        cr_assert_eq(go_select(go_case_recv(nil, NULL), go_case_send(nil, 1), go_case_recv(c, NULL)), 2);
        go_send(c, 1);
    }
    go_chan_free(c);
}

/* Chi-square over four ready cases, 3 degrees of freedom: 30 is passed by chance once in a million runs. */
Test(select, picks_uniformly_among_the_ready)
{
    enum { N = 40000 };
    go_chan(int) c[4];
    int count[4] = {0};
    for (int i = 0; i < 4; i++) {
        c[i] = go_make_chan(int, 1);
        go_send(c[i], i);
    }
    for (int n = 0; n < N; n++) {
        int v = -1;
        int k = go_select(go_case_recv(c[0], &v), go_case_recv(c[1], &v), go_case_recv(c[2], &v), go_case_recv(c[3], &v));
        cr_assert_eq(v, k);
        count[k]++;
        go_send(c[k], k);
    }
    double chi = 0;
    for (int i = 0; i < 4; i++)
        chi += (count[i] - N / 4.0) * (count[i] - N / 4.0) / (N / 4.0);
    cr_assert_lt(chi, 30, "counts %d %d %d %d", count[0], count[1], count[2], count[3]);
}

static void echo(go_recv_chan(int) in, go_send_chan(int) out)
{
    int v;
    while (go_recv(in, &v))
        go_send(out, v);
    go_close(out);
}

/* Send and receive in one select, both ends waiting for each other in turn. */
Test(select, send_and_receive_together)
{
    go_chan(int) out = go_make_chan(int, 0), in = go_make_chan(int, 0);
    go(echo, out, in);
    int sent = 0, got = 0;
    while (got < 1000) {
        int v = -1;
        if (sent == got) {
            if (go_select(go_case_send(out, sent), go_case_recv(in, &v)) == 0)
                sent++;
        } else {
            cr_assert_eq(go_select(go_case_recv(in, &v)), 0);
            cr_assert_eq(v, got);
            got++;
        }
    }
    go_close(out);
    cr_assert_not(go_recv(in, NULL));
}

static void wake_later(go_send_chan(int) c)
{
    go_sleep(5 * GO_MILLISECOND);
    go_send(c, 1);
}

/* The same channel in two cases, parked on both: one wake, one case. */
Test(select, same_channel_twice)
{
    go_chan(int) c = go_make_chan(int, 0);
    go(wake_later, c);
    int a = 0, b = 0;
    int k = go_select(go_case_recv(c, &a), go_case_recv(c, &b));
    cr_assert_eq(k == 0 ? a : b, 1);
    cr_assert_eq(k == 0 ? b : a, 0);
    go_chan_free(c);
}

/* More cases than lie on the stack. */
Test(select, many_cases)
{
    enum { N = 100 };
    go_chan(int) c = go_make_chan(int, 0), last = go_make_chan(int, 0);
    struct gort_case cases[N + 1];
    for (int i = 0; i < N; i++)
        cases[i] = go_case_recv(c, NULL);
    cases[N] = go_case_recv(last, NULL);
    go(wake_later, last);
    cr_assert_eq(gort_select(cases, N + 1), N);
    go_chan_free(c);
    go_chan_free(last);
}

/* Its channels are all locked at once, more than a debug build keeps a record of. */
Test(select, hundreds_of_channels)
{
    enum { N = 600 };
    static go_chan(int) c[N];
    static struct gort_case cases[N];
    int v = 0;
    for (int i = 0; i < N; i++) {
        c[i] = go_make_chan(int, 1);
        cases[i] = go_case_recv(c[i], &v);
    }
    go_send(c[N - 1], 7);
    cr_assert_eq(gort_select(cases, N), N - 1);
    cr_assert_eq(v, 7);
    cases[0] = go_case_default;
    cr_assert_eq(gort_select(cases, N), 0);
    for (int i = 0; i < N; i++)
        go_chan_free(c[i]);
}

/* At the bounds between the ways in which few, some and many cases are kept: each position, and none. */
Test(select, each_position_of_any_number)
{
    enum { N = 66 };
    static const int sizes[] = {1, 2, 12, 13, 15, 16, 17, 63, 64, 65};
    go_chan(int) c[N];
    struct gort_case cases[N];
    int v = 0;
    for (int i = 0; i < N; i++) {
        c[i] = go_make_chan(int, 1);
        cases[i] = go_case_recv(c[i], &v);
    }
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        int n = sizes[s];
        for (int ready = 0; ready < n; ready++) {
            go_send(c[ready], 1000 + ready);
            cr_assert_eq(gort_select(cases, (size_t)n), ready);
            cr_assert_eq(v, 1000 + ready);
        }
        cases[n] = go_case_timeout(10000);
        cr_assert_eq(gort_select(cases, (size_t)n + 1), n);
        cases[n] = go_case_recv(c[n], &v);
    }
    for (int i = 0; i < N; i++)
        go_chan_free(c[i]);
}
