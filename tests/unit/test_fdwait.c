/* go_fd_wait: descriptors that belong to somebody else. */
#define _GNU_SOURCE
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <gort.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

Test(fdwait, readable_writable_and_timeout)
{
    int p[2];
    cr_assert_eq(pipe(p), 0);
    int64_t t = go_now();
    cr_assert_eq(go_fd_wait(p[0], GO_READABLE, 5 * GO_MILLISECOND), GO_ERR_TIMEOUT);
    cr_assert_geq(go_now() - t, 5 * GO_MILLISECOND);
    cr_assert_eq(go_fd_wait(p[0], GO_READABLE, 0), GO_ERR_TIMEOUT);
    cr_assert_eq(go_fd_wait(p[1], GO_WRITABLE, -1), GO_WRITABLE);
    cr_assert_eq(write(p[1], "x", 1), 1);
    cr_assert_eq(go_fd_wait(p[0], GO_READABLE, -1), GO_READABLE);
    close(p[1]);
    cr_assert_eq(go_fd_wait(p[0], GO_READABLE | GO_WRITABLE, -1) & GO_READABLE, GO_READABLE, "a hang-up");
    close(p[0]);
    cr_assert_eq(go_fd_wait(p[0], GO_READABLE, -1), -EBADF);
    cr_assert_eq(go_fd_wait(-1, GO_READABLE, -1), -EBADF);
    cr_assert_eq(go_fd_wait(0, 0, -1), -EINVAL);
    int file = open("/proc/self/exe", O_RDONLY);
    cr_assert_eq(go_fd_wait(file, GO_READABLE, -1), GO_READABLE, "a file is always ready");
    close(file);
}

static void wait_and_count(int fd, int events, int *woken, go_waitgroup *wg)
{
    cr_expect_eq(go_fd_wait(fd, events, GO_MINUTE), events);
    __atomic_add_fetch(woken, 1, __ATOMIC_RELAXED);
    go_waitgroup_done(wg);
}

/* Several goroutines wait for one descriptor, for different things. */
Test(fdwait, several_for_one)
{
    int s[2], woken = 0;
    static char fill[1 << 16];
    go_waitgroup wg = GO_WAITGROUP_INIT;
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s), 0);
    while (write(s[0], fill, sizeof fill) > 0) {
    }
    go_waitgroup_add(&wg, 5);
    for (int i = 0; i < 3; i++)
        go(wait_and_count, s[0], GO_READABLE, &woken, &wg);
    for (int i = 0; i < 2; i++)
        go(wait_and_count, s[0], GO_WRITABLE, &woken, &wg);
    go_sleep(5 * GO_MILLISECOND);
    cr_assert_eq(__atomic_load_n(&woken, __ATOMIC_RELAXED), 0);
    cr_assert_eq(write(s[1], "x", 1), 1);
    while (__atomic_load_n(&woken, __ATOMIC_RELAXED) < 3)
        go_sleep(GO_MILLISECOND);
    go_sleep(5 * GO_MILLISECOND);
    cr_assert_eq(__atomic_load_n(&woken, __ATOMIC_RELAXED), 3);
    while (read(s[1], fill, sizeof fill) > 0) {
    }
    go_waitgroup_wait(&wg);
    close(s[0]);
    close(s[1]);
}

/* The number is used again for another file between two waits. */
Test(fdwait, the_number_is_used_again)
{
    for (int i = 0; i < 100; i++) {
        int p[2];
        cr_assert_eq(pipe(p), 0);
        cr_assert_eq(go_fd_wait(p[0], GO_READABLE, 100000), GO_ERR_TIMEOUT);
        cr_assert_eq(write(p[1], "x", 1), 1);
        cr_assert_eq(go_fd_wait(p[0], GO_READABLE, GO_MINUTE), GO_READABLE);
        close(p[0]);
        close(p[1]);
    }
}

/* The poller's own descriptors are not to be had: an error, each time, until they are. */
Test(fdwait, no_descriptors_left)
{
    int p[2];
    struct rlimit before, few;
    go_conn *c;
    cr_assert_eq(pipe(p), 0);
    getrlimit(RLIMIT_NOFILE, &before);
    for (rlim_t room = 0; room < 3; room++) {
        few = before;
        few.rlim_cur = (rlim_t)p[1] + 1 + room;
        cr_assert_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
        cr_expect_eq(go_fd_wait(p[0], GO_READABLE, GO_MILLISECOND), -EMFILE);
        cr_expect_eq(go_conn_from_fd(p[0], &c), -EMFILE);
        cr_expect_null(c);
    }
    setrlimit(RLIMIT_NOFILE, &before);
    cr_assert_eq(go_fd_wait(p[0], GO_READABLE, GO_MILLISECOND), GO_ERR_TIMEOUT);
    cr_assert_eq(go_conn_from_fd(p[0], &c), 0);
    go_conn_close(c);
    close(p[1]);
}
