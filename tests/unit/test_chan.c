/* Channels: Go's rules for buffered, unbuffered, nil and closed ones, order, sizes. */
#include <criterion/criterion.h>
#include <gort.h>
#include <string.h>

Test(chan, buffered_is_fifo_and_counts)
{
    go_chan(int) c = go_make_chan(int, 3);
    cr_assert_eq(go_cap(c), 3);
    for (int round = 0; round < 5; round++) {   /* wraps around the buffer */
        for (int i = 0; i < 3; i++)
            go_send(c, round * 10 + i);
        cr_assert_eq(go_len(c), 3);
        cr_assert_not(go_try_send(c, 99));
        for (int i = 0; i < 3; i++) {
            int v = -1;
            cr_assert(go_recv(c, &v));
            cr_assert_eq(v, round * 10 + i);
        }
        cr_assert_eq(go_len(c), 0);
    }
    go_chan_free(c);
}

Test(chan, closed_gives_what_is_left_then_zero_and_false)
{
    go_chan(int) c = go_make_chan(int, 2);
    go_send(c, 7);
    go_close(c);
    int v = -1;
    cr_assert(go_recv(c, &v));
    cr_assert_eq(v, 7);
    cr_assert_not(go_recv(c, &v));
    cr_assert_eq(v, 0);
    v = 5;
    cr_assert_eq(go_try_recv(c, &v), GO_RECV_CLOSED);
    cr_assert_eq(v, 0);
    go_chan_free(c);
}

Test(chan, try_recv_tells_empty_from_closed)
{
    go_chan(int) c = go_make_chan(int, 1);
    int v = 3;
    cr_assert_eq(go_try_recv(c, &v), GO_RECV_EMPTY);
    cr_assert_eq(v, 3, "an empty receive must not touch the variable");
    cr_assert(go_try_send(c, 4));
    cr_assert_eq(go_try_recv(c, &v), GO_RECV_VALUE);
    cr_assert_eq(v, 4);
    go_chan_free(c);
}

Test(chan, nil_never_is_ready)
{
    go_chan(int) c = NULL;
    cr_assert_not(go_try_send(c, 1));
    cr_assert_eq(go_try_recv(c, NULL), GO_RECV_EMPTY);
    cr_assert_eq(go_len(c), 0);
    cr_assert_eq(go_cap(c), 0);
    go_chan_free(c);
}

static void send_all(go_send_chan(int) c, int from, int n)
{
    for (int i = 0; i < n; i++)
        go_send(c, from + i);
}

/* Each sender's own order is kept, whatever the mixture. */
Test(chan, unbuffered_keeps_each_senders_order)
{
    go_chan(int) c = go_make_chan(int, 0);
    int next[4] = {0, 1000, 2000, 3000};
    for (int s = 0; s < 4; s++)
        go(send_all, c, s * 1000, 500);
    for (int i = 0; i < 2000; i++) {
        int v;
        cr_assert(go_recv(c, &v));
        cr_assert_eq(v, next[v / 1000]++);
    }
    go_chan_free(c);
}

struct big {
    char bytes[1000];
};

static void send_big(go_send_chan(struct big) c)
{
    struct big b;
    memset(b.bytes, 'x', sizeof b.bytes);
    b.bytes[999] = 'y';
    go_send(c, b);
}

Test(chan, large_elements_arrive_whole)
{
    for (int cap = 0; cap < 2; cap++) {
        go_chan(struct big) c = go_make_chan(struct big, cap);
        struct big b = {{0}};
        go(send_big, c);
        cr_assert(go_recv(c, &b));
        cr_assert_eq(b.bytes[0], 'x');
        cr_assert_eq(b.bytes[998], 'x');
        cr_assert_eq(b.bytes[999], 'y');
        go_chan_free(c);
    }
}

struct none {
};

Test(chan, elements_of_no_size)
{
    go_chan(struct none) c = go_make_chan(struct none, 2);
    go_send(c, (struct none){});
    go_send(c, (struct none){});
    cr_assert_eq(go_len(c), 2);
    cr_assert(go_recv(c, NULL));
    go_chan_free(c);
}

Test(chan, channels_travel_through_channels)
{
    go_chan(go_chan(int)) c = go_make_chan(go_chan(int), 1);
    go_chan(int) inner = go_make_chan(int, 1), got = NULL;
    go_send(c, inner);
    go_recv(c, &got);
    cr_assert_eq((void *)got, (void *)inner);
    go_chan_free(c);
    go_chan_free(inner);
}

static void count_closed(go_recv_chan(int) c, _Atomic(int) *n, go_waitgroup *wg)
{
    if (!go_recv(c, NULL))
        ++*n;
    go_waitgroup_done(wg);
}

Test(chan, close_wakes_every_receiver)
{
    go_chan(int) c = go_make_chan(int, 0);
    static _Atomic(int) n;
    go_waitgroup wg = GO_WAITGROUP_INIT;
    go_waitgroup_add(&wg, 50);
    for (int i = 0; i < 50; i++)
        go(count_closed, c, &n, &wg);
    go_sleep(5 * GO_MILLISECOND);
    go_close(c);
    go_waitgroup_wait(&wg);
    cr_assert_eq(n, 50);
    go_chan_free(c);
}
