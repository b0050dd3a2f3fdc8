/* Reading, writing, closing, deadlines. */
#define _GNU_SOURCE
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <gort.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void close_later(go_conn *c, go_waitgroup *wg)
{
    go_sleep(5 * GO_MILLISECOND);
    cr_expect_eq(go_conn_close(c), 0);
    go_waitgroup_done(wg);
}

/* A goroutine that waits in a read, and one that waits for its turn behind it, are woken by the close. */
static void read_until_closed(go_conn *c, go_waitgroup *wg)
{
    char b;
    cr_expect_eq(go_read(c, &b, 1), GO_ERR_CLOSED);
    go_waitgroup_done(wg);
}

Test(io, close_wakes_readers)
{
    go_conn *r, *w;
    go_waitgroup wg = GO_WAITGROUP_INIT;
    cr_assert_eq(go_pipe(&r, &w), 0);
    go_waitgroup_add(&wg, 4);
    for (int i = 0; i < 3; i++)
        go(read_until_closed, r, &wg);
    go(close_later, r, &wg);
    go_waitgroup_wait(&wg);
    cr_assert_eq(go_conn_close(r), GO_ERR_CLOSED);
    char b;
    cr_assert_eq(go_read(r, &b, 1), GO_ERR_CLOSED);
    cr_assert_eq(go_conn_fd(r), GO_ERR_CLOSED);
    cr_assert_eq(go_write(w, "x", 1), -EPIPE);
    go_conn_close(w);
}

static void write_until_closed(go_conn *c, go_waitgroup *wg)
{
    static char big[1 << 20];
    cr_expect_eq(go_write(c, big, sizeof big), GO_ERR_CLOSED);
    go_waitgroup_done(wg);
}

Test(io, close_wakes_writers)
{
    go_conn *r, *w;
    go_waitgroup wg = GO_WAITGROUP_INIT;
    cr_assert_eq(go_pipe(&r, &w), 0);
    go_waitgroup_add(&wg, 3);
    go(write_until_closed, w, &wg);
    go(write_until_closed, w, &wg);
    go(close_later, w, &wg);
    go_waitgroup_wait(&wg);
    go_conn_close(r);
}

/* A closed handle never names the connection that got its slot. */
Test(io, a_closed_handle_stays_closed)
{
    go_conn *first_r, *first_w, *r, *w;
    cr_assert_eq(go_pipe(&first_r, &first_w), 0);
    go_conn_close(first_r);
    go_conn_close(first_w);
    for (int i = 0; i < 3000; i++) {
        char b = 0;
        cr_assert_eq(go_pipe(&r, &w), 0);
        cr_assert_eq(go_write(w, "y", 1), 1);
        cr_assert_eq(go_read(first_r, &b, 1), GO_ERR_CLOSED);
        cr_assert_eq(go_conn_close(first_w), GO_ERR_CLOSED);
        cr_assert_eq(go_read(r, &b, 1), 1);
        cr_assert_eq(b, 'y');
        go_conn_close(r);
        go_conn_close(w);
    }
    cr_assert_eq(go_read(NULL, &r, 1), GO_ERR_CLOSED);
    cr_assert_eq(go_conn_close(NULL), GO_ERR_CLOSED);
}

Test(io, deadlines)
{
    go_conn *r, *w;
    char b;
    cr_assert_eq(go_pipe(&r, &w), 0);
    int64_t at = go_now() + 10 * GO_MILLISECOND;
    cr_assert_eq(go_set_read_deadline(r, at), 0);
    cr_assert_eq(go_read(r, &b, 1), GO_ERR_TIMEOUT);
    cr_assert_geq(go_now(), at);
    cr_assert_eq(go_write(w, "x", 1), 1);
    cr_assert_eq(go_read(r, &b, 1), GO_ERR_TIMEOUT, "a passed deadline fails at once, though there is something to read");
    cr_assert_eq(go_set_deadline(r, 0), 0);
    cr_assert_eq(go_read(r, &b, 1), 1, "and a new one undoes it");
    cr_assert_eq(go_set_deadline(r, go_now() - 1), 0);
    cr_assert_eq(go_read(r, &b, 1), GO_ERR_TIMEOUT);
    go_set_deadline(r, go_now() + GO_HOUR);
    go_conn_close(r);   /* its timer goes with it */
    static char big[1 << 20];
    cr_assert_eq(go_pipe(&r, &w), 0);
    go_set_write_deadline(w, go_now() + 10 * GO_MILLISECOND);
    cr_assert_eq(go_write(w, big, sizeof big), GO_ERR_TIMEOUT);
    go_conn_close(r);
    go_conn_close(w);
    cr_assert_eq(go_set_deadline(r, 0), GO_ERR_CLOSED);
}

static void set_past(go_conn *c)
{
    go_sleep(5 * GO_MILLISECOND);
    go_set_read_deadline(c, 1);
}

Test(io, a_deadline_set_meanwhile_wakes_the_reader)
{
    go_conn *r, *w;
    char b;
    cr_assert_eq(go_pipe(&r, &w), 0);
    go(set_past, r);
    cr_assert_eq(go_read(r, &b, 1), GO_ERR_TIMEOUT);
    go_conn_close(r);
    go_conn_close(w);
}

static void write_marked(go_conn *c, int mark, go_waitgroup *wg)
{
    static char block[8][100000];
    memset(block[mark], 'a' + mark, sizeof block[mark]);
    cr_expect_eq(go_write(c, block[mark], sizeof block[mark]), (ssize_t)sizeof block[mark]);
    go_waitgroup_done(wg);
}

/* Writes of several goroutines are not mixed, however often each has to wait. */
Test(io, writes_are_whole)
{
    go_conn *r, *w;
    go_waitgroup wg = GO_WAITGROUP_INIT;
    cr_assert_eq(go_pipe(&r, &w), 0);
    go_waitgroup_add(&wg, 8);
    for (int i = 0; i < 8; i++)
        go(write_marked, w, i, &wg);
    for (int i = 0; i < 8; i++) {
        static char buf[100000];
        cr_assert_eq(go_read_full(r, buf, sizeof buf, NULL), (ssize_t)sizeof buf);
        for (size_t k = 1; k < sizeof buf; k++)
            cr_assert_eq(buf[k], buf[0]);
    }
    go_waitgroup_wait(&wg);
    go_conn_close(w);
    char b;
    size_t got = 7;
    cr_assert_eq(go_read(r, &b, 1), 0, "the end");
    cr_assert_eq(go_read_full(r, &b, 1, &got), GO_ERR_EOF);
    cr_assert_eq(got, 0);
    cr_assert_eq(go_read(r, &b, 0), 0);
    go_conn_close(r);
}

/* A short read, after which the reader waits for an edge without asking: the end must not be missed, whenever it comes. */
static void say_and_leave(go_listener *l, int pause)
{
    go_conn *c;
    cr_expect_eq(go_accept(l, &c), 0);
    cr_expect_eq(go_write(c, "bye", 3), 3);
    if (pause)
        go_sleep(pause * 100000);
    go_conn_close(c);
}

Test(io, the_end_is_not_missed)
{
    go_listener *l;
    char addr[100], buf[100];
    cr_assert_eq(go_listen("tcp", "127.0.0.1:0", &l), 0);
    go_listener_addr(l, addr, sizeof addr);
    for (int i = 0; i < 600; i++) {
        go_conn *c;
        go(say_and_leave, l, i % 4);
        cr_assert_eq(go_dial("tcp", addr, &c), 0);
        if (i % 3)
            go_sleep(i % 3 * 100000);
        cr_assert_eq(go_read(c, buf, sizeof buf), 3);
        cr_assert_eq(go_read(c, buf, sizeof buf), 0);
        go_conn_close(c);
    }
    go_listener_close(l);
}

static void send_with_urgent(go_conn *c, go_waitgroup *wg)
{
    cr_expect_eq(send(go_conn_fd(c), "abU", 3, MSG_OOB), 3);
    cr_expect_eq(send(go_conn_fd(c), "cdef", 4, 0), 4);
    go_waitgroup_done(wg);
}

static void read_around_urgent(go_conn *c, go_waitgroup *wg)
{
    char buf[100] = "";
    ssize_t n = 1;
    go_set_read_deadline(c, go_now() + 20 * GO_SECOND);
    for (ssize_t got = 0; got < 6 && n > 0; got += n)
        cr_expect_gt(n = go_read(c, buf + got, sizeof buf - (size_t)got), 0);
    cr_expect_str_eq(buf, "abcdef");
    go_waitgroup_done(wg);
}

/* A read stops before urgent data: that it comes short doesn't mean that nothing more is there. One P, so that both sends come before the reader's wake. */
Test(io, urgent_data_keeps_nothing_back, .timeout = 60)
{
    go_listener *l;
    char addr[100];
    int procs = go_maxprocs(1);
    cr_assert_eq(go_listen("tcp", "127.0.0.1:0", &l), 0);
    go_listener_addr(l, addr, sizeof addr);
    for (int i = 0; i < 20; i++) {
        go_conn *a, *b;
        go_waitgroup wg = GO_WAITGROUP_INIT;
        cr_assert_eq(go_dial("tcp", addr, &a), 0);
        cr_assert_eq(go_accept(l, &b), 0);
        go_waitgroup_add(&wg, 2);
        go(read_around_urgent, b, &wg);
        go_sleep(GO_MILLISECOND);
        go(send_with_urgent, a, &wg);
        go_waitgroup_wait(&wg);
        go_conn_close(a);
        go_conn_close(b);
    }
    go_listener_close(l);
    go_maxprocs(procs);
}

Test(io, half_close)
{
    go_listener *l;
    go_conn *a, *b;
    char addr[100], buf[10];
    cr_assert_eq(go_listen("tcp", "127.0.0.1:0", &l), 0);
    go_listener_addr(l, addr, sizeof addr);
    cr_assert_eq(go_dial("tcp", addr, &a), 0);
    cr_assert_eq(go_accept(l, &b), 0);
    cr_assert_eq(go_write(a, "x", 1), 1);
    cr_assert_eq(go_conn_close_write(a), 0);
    cr_assert_eq(go_read(b, buf, 10), 1);
    cr_assert_eq(go_read(b, buf, 10), 0);
    cr_assert_eq(go_write(b, "y", 1), 1, "the other direction is open");
    cr_assert_eq(go_read(a, buf, 10), 1);
    cr_assert_eq(go_conn_close_read(a), 0);
    cr_assert_eq(go_read(a, buf, 10), 0);
    go_conn_close(a);
    go_conn_close(b);
    go_listener_close(l);
}

Test(io, a_regular_file_can_not_be_polled)
{
    int fd = open("/proc/self/exe", O_RDONLY);
    go_conn *c;
    cr_assert_eq(go_conn_from_fd(fd, &c), GO_ERR_NOT_POLLABLE);
    cr_assert_null(c);
    char b;
    cr_assert_eq(read(fd, &b, 1), 1, "and stays the caller's");
    cr_assert_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, 0, "as it was");
    close(fd);
    cr_assert_eq(go_conn_from_fd(-1, &c), -EBADF);
    cr_assert_eq(go_conn_from_fd(fd, &c), -EBADF);
}

Test(io, errno_is_left_alone)
{
    go_conn *r, *w;
    char b;
    go_pipe(&r, &w);
    errno = 77;
    go_set_read_deadline(r, go_now() + GO_MILLISECOND);
    go_read(r, &b, 1);
    go_conn_close(r);
    go_write(w, "x", 1);
    go_conn_close(w);
    cr_assert_eq(errno, 77);
}

static void set_later(go_conn *c, int64_t ns)
{
    go_sleep(5 * GO_MILLISECOND);
    go_set_read_deadline(c, go_now() + ns);
}

/* A deadline that is put off or brought forward while somebody waits is the one that counts; the ends of the range are instants like others. */
Test(io, the_last_deadline_counts)
{
    go_conn *r, *w;
    char b;
    cr_assert_eq(go_pipe(&r, &w), 0);
    int64_t start = go_now();
    go_set_read_deadline(r, start + 15 * GO_MILLISECOND);
    go(set_later, r, 50 * GO_MILLISECOND);
    cr_assert_eq(go_read(r, &b, 1), GO_ERR_TIMEOUT);
    cr_assert_geq(go_now() - start, 50 * GO_MILLISECOND);
    go_set_read_deadline(r, go_now() + GO_HOUR);
    go(set_later, r, GO_MILLISECOND);
    cr_assert_eq(go_read(r, &b, 1), GO_ERR_TIMEOUT);
    go_set_read_deadline(r, INT64_MIN);
    cr_assert_eq(go_read(r, &b, 1), GO_ERR_TIMEOUT);
    go_set_read_deadline(r, INT64_MAX);
    cr_assert_eq(go_write(w, "x", 1), 1);
    cr_assert_eq(go_read(r, &b, 1), 1);
    go_conn_close(r);
    go_conn_close(w);
}

static void close_once(go_conn *c, _Atomic int *closed, go_waitgroup *wg)
{
    int err = go_conn_close(c);
    cr_expect(err == 0 || err == GO_ERR_CLOSED);
    *closed += err == 0;
    go_waitgroup_done(wg);
}

static void read_to_the_close(go_conn *c, go_waitgroup *wg)
{
    char b;
    cr_expect_eq(go_read(c, &b, 1), GO_ERR_CLOSED);
    go_waitgroup_done(wg);
}

static void put_deadlines_off(go_conn *c, go_waitgroup *wg)
{
    for (int err = 0; err == 0; go_yield()) {
        err = go_set_deadline(c, go_now() + GO_HOUR);
        cr_expect(err == 0 || err == GO_ERR_CLOSED);
    }
    go_waitgroup_done(wg);
}

/* Of closes at once, under readers and goroutines that set deadlines, one does it. */
Test(io, one_of_many_closes, .timeout = 60)
{
    for (int round = 0; round < 100; round++) {
        go_conn *r, *w;
        _Atomic int closed = 0;
        go_waitgroup wg = GO_WAITGROUP_INIT;
        cr_assert_eq(go_pipe(&r, &w), 0);
        go_waitgroup_add(&wg, 9);
        for (int i = 0; i < 3; i++) {
            go(read_to_the_close, r, &wg);
            go(put_deadlines_off, r, &wg);
        }
        if (round % 3)
            go_sleep(round * 1000);
        for (int i = 0; i < 3; i++)
            go(close_once, r, &closed, &wg);
        go_waitgroup_wait(&wg);
        cr_assert_eq(closed, 1);
        cr_assert_eq(go_write(w, "x", 1), -EPIPE);
        go_conn_close(w);
    }
}
