/* Reading, writing and closing connections. A call tries at once and parks only when the system says that it would block.
 *
 * A read of a TCP socket that came short has emptied it: whatever comes later brings a new edge, so the next read waits for that edge without
 * asking first. That saves a system call for each message of a request-and-answer protocol. It is not so when the peer's end may have come
 * already, whose edge can have been used up before, or urgent data, before which a read stops: pd.ask_first, set before such an edge is seen, forbids
 * the short cut. */
#define _GNU_SOURCE
#include "conn.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include <gort/net.h>
#include <gort/time.h>

#include "inspect.h"
#include "internal.h"
#include "os_net.h"

static uint64_t handle(const void *p)
{
    return (uint64_t)(uintptr_t)p;
}

/* ---- for the race detector: both ends of a pipe or connection meet at an address of this table ---- */

static uint64_t shared[1024];   /* never read or written */

static void io_acquire(struct conn *c)
{
    if (HOOK_IS_ON)
        hook_acquire(rt_race(), &shared[c->io_key % 1024]);
}

static void io_release(struct conn *c)
{
    if (HOOK_IS_ON)
        hook_release_merge(rt_race(), &shared[c->io_key % 1024]);
}

const void *inspect_io_meeting(int fd)
{
    return &shared[os_shared_key(fd) % 1024];
}

/* ---- reading ---- */

static ssize_t read_some(struct conn *c, void *buf, size_t n)
{
    int err = conn_error(netpoll_check(&c->pd, POLL_READ));
    if (err)
        return err;
    if (c->drained && !netpoll_is_ready(&c->pd, POLL_READ) && !atomic_load_explicit(&c->pd.ask_first, memory_order_acquire)) {
        c->drained = false;
        if ((err = conn_wait(c, POLL_READ)))
            return err;
    }
    for (;;) {
        long got = os_read(c->fd, buf, n);
        if (got >= 0) {
            c->drained = c->kind & CONN_IS_TCP && (size_t)got < n && got > 0;
            return got;
        }
        if (got != -EAGAIN)
            return got;
        if ((err = conn_wait(c, POLL_READ)))
            return err;
    }
}

static ssize_t read_checked(go_conn *conn, void *buf, size_t n, const void *pc)
{
    struct conn *c = conn_get(handle(conn), CONN_READING);
    if (!c)
        return GO_ERR_CLOSED;
    ssize_t got = n == 0 ? 0 : read_some(c, buf, n);
    if (got >= 0)
        io_acquire(c);
    conn_put(c, CONN_READING);
    if (got > 0)
        hook_write(rt_race(), buf, (size_t)got, pc);
    return got;
}

ssize_t go_read(go_conn *conn, void *buf, size_t n)
{
    return read_checked(conn, buf, n, __builtin_return_address(0));
}

ssize_t go_read_full(go_conn *conn, void *buf, size_t n, size_t *got)
{
    size_t done = 0;
    ssize_t k = 1;
    while (done < n && (k = read_checked(conn, (char *)buf + done, n - done, __builtin_return_address(0))) > 0)
        done += (size_t)k;
    if (got)
        *got = done;
    return done == n ? (ssize_t)n : k < 0 ? k : done == 0 ? GO_ERR_EOF : GO_ERR_UNEXPECTED_EOF;
}

ssize_t go_recv_from(go_conn *conn, void *buf, size_t n, struct go_addr *from)
{
    struct conn *c = conn_get(handle(conn), CONN_READING);
    if (!c)
        return GO_ERR_CLOSED;
    struct sockaddr_storage sa = {.ss_family = AF_UNSPEC};   /* of a sender without a name, or a stream's, nothing is told */
    socklen_t len = 0;
    ssize_t got = conn_error(netpoll_check(&c->pd, POLL_READ));
    while (got == 0) {
        len = sizeof sa;
        got = os_recv_from(c->fd, buf, n, &sa, &len);
        if (got != -EAGAIN)
            break;
        got = conn_wait(c, POLL_READ);
    }
    if (got >= 0)
        io_acquire(c);
    conn_put(c, CONN_READING);
    if (got >= 0) {
        hook_write(rt_race(), buf, (size_t)got, __builtin_return_address(0));
        if (from) {
            hook_write(rt_race(), from, sizeof *from, __builtin_return_address(0));
            rt_copy(&from->sa, &sa, sizeof sa);
            from->len = len;
        }
    }
    return got;
}

/* ---- writing ---- */

static ssize_t write_all(struct conn *c, const char *buf, size_t n)
{
    int err = conn_error(netpoll_check(&c->pd, POLL_WRITE));
    if (err)
        return err;
    for (size_t done = 0;;) {
        long k = c->kind & CONN_IS_SOCKET ? os_send(c->fd, buf + done, n - done) : os_write_some(c->fd, buf + done, n - done);
        if (k >= 0) {
            done += (size_t)k;
            if (done == n || !(c->kind & CONN_IS_STREAM))
                return (ssize_t)done;
            continue;
        }
        if (k != -EAGAIN)
            return k;
        if ((err = conn_wait(c, POLL_WRITE)))
            return err;
    }
}

ssize_t go_write(go_conn *conn, const void *buf, size_t n)
{
    struct conn *c = conn_get(handle(conn), CONN_WRITING);
    if (!c)
        return GO_ERR_CLOSED;
    hook_read(rt_race(), buf, n, __builtin_return_address(0));
    io_release(c);
    ssize_t r = write_all(c, buf, n);
    conn_put(c, CONN_WRITING);
    return r;
}

ssize_t go_send_to(go_conn *conn, const void *buf, size_t n, const struct go_addr *to)
{
    struct conn *c = conn_get(handle(conn), CONN_WRITING);
    if (!c)
        return GO_ERR_CLOSED;
    hook_read(rt_race(), buf, n, __builtin_return_address(0));
    io_release(c);
    ssize_t r = conn_error(netpoll_check(&c->pd, POLL_WRITE));
    while (r == 0) {
        r = os_send_to(c->fd, buf, n, to ? &to->sa : NULL, to ? to->len : 0);
        if (r != -EAGAIN)
            break;
        r = conn_wait(c, POLL_WRITE);
    }
    conn_put(c, CONN_WRITING);
    return r;
}

/* ---- closing, deadlines ---- */

int go_conn_close(go_conn *conn)
{
    struct conn *c = conn_close_begin(handle(conn));
    if (!c)
        return GO_ERR_CLOSED;
    io_release(c);   /* the peer's read of the end comes after what was done here */
    conn_close_end(c);
    return 0;
}

static int half_close(go_conn *conn, int how)
{
    struct conn *c = conn_get(handle(conn), 0);
    if (!c)
        return GO_ERR_CLOSED;
    io_release(c);
    int err = os_shutdown(c->fd, how);
    conn_put(c, 0);
    return err;
}

int go_conn_close_write(go_conn *conn)
{
    return half_close(conn, SHUT_WR);
}

int go_conn_close_read(go_conn *conn)
{
    return half_close(conn, SHUT_RD);
}

static int set_deadline(const void *conn, int64_t at, unsigned modes)
{
    struct conn *c = conn_get(handle(conn), 0);
    if (!c)
        return GO_ERR_CLOSED;
    rt_enter();
    netpoll_set_deadline(&c->pd, at, modes);
    rt_leave();
    conn_put(c, 0);
    return 0;
}

int go_set_deadline(go_conn *conn, int64_t at)
{
    return set_deadline(conn, at, 3);
}

int go_set_read_deadline(go_conn *conn, int64_t at)
{
    return set_deadline(conn, at, 1);
}

int go_set_write_deadline(go_conn *conn, int64_t at)
{
    return set_deadline(conn, at, 2);
}

int go_listener_set_deadline(go_listener *l, int64_t at)
{
    return set_deadline(l, at, 1);
}

/* ---- descriptors of the caller's, pipes ---- */

int go_conn_from_fd(int fd, go_conn **out)
{
    *out = NULL;
    int was = os_set_nonblock(fd), err = was;
    if (was < 0)
        return err;
    int type = os_getsockopt(fd, SOL_SOCKET, SO_TYPE), family = os_getsockopt(fd, SOL_SOCKET, SO_DOMAIN);
    unsigned kind = type < 0 ? CONN_IS_STREAM : type == SOCK_STREAM ? CONN_IS_SOCKET | CONN_IS_STREAM : CONN_IS_SOCKET;
    if (type == SOCK_STREAM && (family == AF_INET || family == AF_INET6))
        kind |= CONN_IS_TCP;
    if (type < 0)
        os_quiet_sigpipe();
    uint64_t h = conn_open(fd, kind, &err);
    *out = (go_conn *)(uintptr_t)h;
    if (!h && was == 0)
        os_set_block(fd);   /* as it was: it is the caller's still */
    return h ? 0 : err;
}

int go_pipe(go_conn **r, go_conn **w)
{
    int fds[2], err = os_pipe(fds);
    *r = *w = NULL;
    if (err < 0)
        return err;
    if ((err = go_conn_from_fd(fds[0], r)) < 0) {
        os_close(fds[0]);
        os_close(fds[1]);
        return err;
    }
    if ((err = go_conn_from_fd(fds[1], w)) < 0) {
        go_conn_close(*r);
        os_close(fds[1]);
        *r = NULL;
    }
    return err;
}

int go_conn_fd(go_conn *conn)
{
    struct conn *c = conn_get(handle(conn), 0);
    if (!c)
        return GO_ERR_CLOSED;
    int fd = c->fd;
    conn_put(c, 0);
    return fd;
}
