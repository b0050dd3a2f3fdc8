/* Listening, accepting, addresses. Dialling is in dial.c, reading and writing in io.c. */
#include "conn.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include <gort/net.h>
#include <gort/time.h>

#include "addr.h"
#include "internal.h"
#include "os.h"
#include "os_net.h"

enum { ADDRS = 16, BACKLOG = 65535 /* the system has its own maximum */, KEEPALIVE_S = 15 };

static uint64_t handle(const void *p)
{
    return (uint64_t)(uintptr_t)p;
}

unsigned conn_kind(int family, int type)
{
    unsigned kind = CONN_IS_SOCKET;
    if (type == SOCK_STREAM)
        kind |= CONN_IS_STREAM | (addr_is_ip(family) ? CONN_IS_TCP : 0);
    return kind;
}

void conn_tune_tcp(int fd)
{
    os_setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    os_setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    os_setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_S);
    os_setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_S);
}

/* ---- servers ---- */

/* A bound socket, listening if it is for a stream. Its descriptor or an error. */
static int bind_one(const struct go_addr *a, int type, bool both)
{
    int family = a->sa.ss_family;
    int fd = os_socket(family, type, 0);
    if (fd < 0)
        return fd;
    if (addr_is_ip(family) && type == SOCK_STREAM)
        os_setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (family == AF_INET6)
        os_setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, !both);
    int err = os_bind(fd, &a->sa, a->len);
    if (err >= 0 && type != SOCK_DGRAM)
        err = os_listen(fd, BACKLOG);
    if (err < 0) {
        os_close(fd);
        return err;
    }
    return fd;
}

static int bind_any(const char *network, const char *address, bool packets, uint64_t *out)
{
    struct network net;
    struct go_addr addrs[ADDRS];
    int n = addr_network(network, &net);
    if (n == 0 && (net.type == SOCK_DGRAM) != packets)
        n = GO_ERR_NETWORK;
    if (n == 0)
        n = addr_resolve(&net, address, true, TIMER_NEVER, addrs, ADDRS);
    int first = n < 0 ? n : GO_ERR_ADDRESS;
    for (int i = 0; i < n; i++) {
        int fd = bind_one(&addrs[i], net.type, net.family == AF_UNSPEC && n > 1);
        if (fd >= 0) {
            int err;
            *out = conn_open(fd, conn_kind(addrs[i].sa.ss_family, net.type) | CONN_IS_BOUND, &err);
            if (*out)
                return 0;
            os_close(fd);
            fd = err;
        }
        if (i == 0 || first == -EAFNOSUPPORT)
            first = fd;
    }
    return first;
}

int go_listen(const char *network, const char *address, go_listener **out)
{
    uint64_t h = 0;
    int err = bind_any(network, address, false, &h);
    *out = (go_listener *)(uintptr_t)h;
    return err;
}

int go_listen_packet(const char *network, const char *address, go_conn **out)
{
    uint64_t h = 0;
    int err = bind_any(network, address, true, &h);
    *out = (go_conn *)(uintptr_t)h;
    return err;
}

int go_accept(go_listener *l, go_conn **out)
{
    *out = NULL;
    struct conn *c = conn_get(handle(l), CONN_READING);
    if (!c)
        return GO_ERR_CLOSED;
    unsigned kind = c->kind & ~(unsigned)CONN_IS_BOUND;
    int fd = conn_error(netpoll_check(&c->pd, POLL_READ));
    while (fd == 0) {
        fd = os_accept(c->fd);
        if (fd != -EAGAIN)
            break;
        fd = conn_wait(c, POLL_READ);
    }
    conn_put(c, CONN_READING);
    if (fd < 0)
        return fd;
    hook_io_accepted();
    if (kind & CONN_IS_TCP)
        conn_tune_tcp(fd);
    int err;
    uint64_t h = conn_open(fd, kind, &err);
    *out = (go_conn *)(uintptr_t)h;
    if (!h)
        os_close(fd);
    return h ? 0 : err;
}

int go_listener_close(go_listener *l)
{
    struct conn *c = conn_close_begin(handle(l));
    if (!c)
        return GO_ERR_CLOSED;
    struct go_addr a;
    char path[sizeof a.sa];
    bool is_unix = !(c->kind & CONN_IS_TCP) && os_local_addr(c->fd, &a.sa, &a.len) == 0 && a.sa.ss_family == AF_UNIX;
    if (is_unix && go_addr_string(&a, path, sizeof path) == 0 && path[0] && path[0] != '@')
        os_unlink(path);   /* while the name is still taken, so that it is not another listener's */
    conn_close_end(c);
    return 0;
}

/* ---- addresses ---- */

static int addr_text(const void *conn, char *buf, size_t n, int (*get)(int, struct sockaddr_storage *, socklen_t *))
{
    struct conn *c = conn_get(handle(conn), 0);
    if (!c)
        return GO_ERR_CLOSED;
    struct go_addr a = {0};
    int err = get(c->fd, &a.sa, &a.len);
    conn_put(c, 0);
    return err < 0 ? err : go_addr_string(&a, buf, n);
}

int go_listener_addr(go_listener *l, char *buf, size_t n)
{
    return addr_text(l, buf, n, os_local_addr);
}

int go_conn_local_addr(go_conn *c, char *buf, size_t n)
{
    return addr_text(c, buf, n, os_local_addr);
}

int go_conn_remote_addr(go_conn *c, char *buf, size_t n)
{
    return addr_text(c, buf, n, os_peer_addr);
}
