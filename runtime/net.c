/* Listening, accepting, dialling. Reading and writing are in io.c. */
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

static bool is_ip(int family)
{
    return family == AF_INET || family == AF_INET6;
}

static unsigned kind_of(int family, int type)
{
    unsigned kind = CONN_IS_SOCKET;
    if (type == SOCK_STREAM)
        kind |= CONN_IS_STREAM | (is_ip(family) ? CONN_IS_TCP : 0);
    return kind;
}

/* As Go: small messages go at once, and a peer that is gone is noticed. */
static void tune_tcp(int fd)
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
    if (is_ip(family) && type == SOCK_STREAM)
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
            *out = conn_open(fd, kind_of(addrs[i].sa.ss_family, net.type) | CONN_IS_BOUND, &err);
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
    if (kind & CONN_IS_TCP)
        tune_tcp(fd);
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

/* ---- clients ---- */

/* The error of a connection that has been opened and is being made in the background. */
static int finish_connect(uint64_t h, int64_t until)
{
    struct conn *c = conn_get(h, CONN_WRITING);
    if (!c)
        return GO_ERR_CLOSED;
    rt_enter();
    if (until)
        netpoll_set_deadline(&c->pd, until, 2);
    rt_leave();
    int err = 0;
    while (err == 0) {
        err = conn_wait(c, POLL_WRITE);
        if (err == 0) {
            err = os_socket_error(c->fd);
            struct sockaddr_storage sa;
            socklen_t len;
            if (err != 0 || os_peer_addr(c->fd, &sa, &len) == 0)
                break;   /* an edge alone says nothing: a fresh socket may give one before it is connected */
        }
    }
    rt_enter();
    if (until && err == 0)
        netpoll_set_deadline(&c->pd, 0, 2);
    rt_leave();
    conn_put(c, CONN_WRITING);
    return err;
}

/* Linux may connect a TCP socket to itself, when nobody listens on a port that is just given out as the local one. */
static bool is_self(int fd, int type)
{
    struct sockaddr_storage here, there;
    socklen_t n, k;
    return type == SOCK_STREAM && os_local_addr(fd, &here, &n) == 0 && is_ip(here.ss_family) && os_peer_addr(fd, &there, &k) == 0 &&
           n == k && memcmp(&here, &there, n) == 0;
}

static int dial_one(const struct go_addr *a, int type, int64_t until, uint64_t *out)
{
    for (int tries = 0, pause_ms = 1;; tries++) {
        int fd = os_socket(a->sa.ss_family, type, 0);
        if (fd < 0)
            return fd;
        unsigned kind = kind_of(a->sa.ss_family, type);
        int err = os_connect(fd, &a->sa, a->len);
        if (err == -EAGAIN && a->sa.ss_family == AF_UNIX) {   /* the listener's queue is full, and nothing tells when it no longer is */
            os_close(fd);
            if (until && go_now() >= until)
                return GO_ERR_TIMEOUT;
            go_sleep(pause_ms * GO_MILLISECOND);
            pause_ms = pause_ms < 16 ? 2 * pause_ms : pause_ms;
            continue;
        }
        uint64_t h = err == 0 || err == -EINPROGRESS ? conn_open(fd, kind, &err) : 0;
        if (!h) {
            os_close(fd);
            return err;
        }
        if (err == -EINPROGRESS)
            err = finish_connect(h, until);
        if (err == 0 && tries < 2 && is_self(fd, type)) {
            conn_close(h);
            continue;
        }
        if (err < 0) {
            conn_close(h);
            return err;
        }
        if (kind & CONN_IS_TCP)
            tune_tcp(fd);
        struct conn *c = HOOK_IS_ON ? conn_get(h, 0) : NULL;
        if (c) {
            c->io_key = os_shared_key(fd);   /* now that both addresses are known */
            conn_put(c, 0);
        }
        *out = h;
        return 0;
    }
}

/* Until when the first of n addresses may be tried: what time there is, is divided among them, as Go does, so that one from which nothing comes back
 * leaves some for the others. */
static int64_t share(int64_t now, int64_t until, int n)
{
    const int64_t least = 2 * GO_SECOND;
    int64_t ns = (until - now) / n;
    return ns >= least ? now + ns : until - now <= least ? until : now + least;
}

int go_dial_timeout(const char *network, const char *address, int64_t ns, go_conn **out)
{
    struct network net;
    struct go_addr addrs[ADDRS];
    *out = NULL;
    int64_t until = 0;
    if (ns < 0)
        return GO_ERR_TIMEOUT;
    if (ns > 0) {
        int64_t now = os_now();
        until = ns > INT64_MAX - 1 - now ? 0 : now + ns;
    }
    int n = addr_network(network, &net);
    if (n == 0)
        n = addr_resolve(&net, address, false, until ? until : TIMER_NEVER, addrs, ADDRS);
    if (n <= 0)
        return n < 0 ? n : GO_ERR_NO_HOST;
    int first = 0;
    for (int i = 0; i < n; i++) {
        uint64_t h = 0;
        int64_t now = until ? os_now() : 0;
        if (until && now >= until)
            return first ? first : GO_ERR_TIMEOUT;
        int err = dial_one(&addrs[i], net.type, until ? share(now, until, n - i) : 0, &h);
        if (err == 0) {
            *out = (go_conn *)(uintptr_t)h;
            return 0;
        }
        if (!first)
            first = err;
    }
    return first;
}

int go_dial(const char *network, const char *address, go_conn **out)
{
    return go_dial_timeout(network, address, 0, out);
}
