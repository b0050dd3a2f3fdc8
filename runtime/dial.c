/* Dialling: one address, a list of them, and two lists at once.
 *
 * A name's addresses are tried one after the other, those of the family that came first before the others. If nothing has come of the first family within
 * 300 ms, a second goroutine tries the others meanwhile, and who is connected first makes the other one give up: so a network whose IPv6 leads nowhere
 * costs a moment, not minutes. (RFC 6555, "Happy Eyeballs", as Go's net.Dialer does it.) The caller waits for the second goroutine, which it never outlives;
 * a dial that is given up is woken, as its connection is closed. */
#include "conn.h"

#include <errno.h>
#include <string.h>

#include <gort/goroutine.h>
#include <gort/net.h>
#include <gort/sync.h>
#include <gort/time.h>

#include "addr.h"
#include "internal.h"
#include "os_net.h"

enum { ADDRS = 16 };

static int64_t fallback_ns(void)
{
#ifdef RT_DEBUG
    if (sched_perturbs)   /* both begin, and end, at about the same time */
        return (os_now() >> 10 & 7) * 50000;
#endif
    return 300 * GO_MILLISECOND;
}

/* A list of addresses that is being tried. */
struct dial {
    const struct go_addr *addrs;
    int n, type;
    int64_t until;           /* 0: no limit */
    uint64_t handle;         /* the result; 0: none */
    int err;                 /* of the first address that failed */
    struct lock lock;        /* rank DIAL; locking key: (l) */
    bool given_up;           /* (l) */
    uint64_t connecting;     /* (l) 0: none */
};

/* Whether d may go on, with a connection that is being made. */
static bool set_connecting(struct dial *d, uint64_t h)
{
    lock(&d->lock);
    bool goes_on = !d->given_up;
    d->connecting = goes_on ? h : 0;
    unlock(&d->lock);
    return goes_on;
}

static void give_up(struct dial *d)
{
    lock(&d->lock);
    uint64_t h = d->connecting;
    d->given_up = true;
    unlock(&d->lock);
    if (h)
        conn_close(h);   /* no other's: handles are not used again */
}

/* ---- one address ---- */

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
    return type == SOCK_STREAM && os_local_addr(fd, &here, &n) == 0 && addr_is_ip(here.ss_family) && os_peer_addr(fd, &there, &k) == 0 &&
           n == k && memcmp(&here, &there, n) == 0;
}

static int dial_one(struct dial *d, const struct go_addr *a, int64_t until, uint64_t *out)
{
    for (int tries = 0, pause_ms = 1;; tries++) {
        int fd = os_socket(a->sa.ss_family, d->type, 0);
        if (fd < 0)
            return fd;
        unsigned kind = conn_kind(a->sa.ss_family, d->type);
        hook_io_connects();
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
        if (!set_connecting(d, h)) {
            conn_close(h);
            return GO_ERR_CLOSED;
        }
        if (err == -EINPROGRESS)
            err = finish_connect(h, until);
        if (!set_connecting(d, 0))
            err = GO_ERR_CLOSED;
        if (err == 0 && tries < 2 && is_self(fd, d->type)) {
            conn_close(h);
            continue;
        }
        if (err < 0) {
            conn_close(h);
            return err;
        }
        if (kind & CONN_IS_TCP)
            conn_tune_tcp(fd);
        struct conn *c = HOOK_IS_ON ? conn_get(h, 0) : NULL;
        if (c) {
            c->io_key = os_shared_key(fd);   /* now that both addresses are known */
            conn_put(c, 0);
        }
        *out = h;
        return 0;
    }
}

/* ---- a list ---- */

/* Until when the first of n addresses may be tried: what time there is, is divided among them, as Go does, so that one from which nothing comes back
 * leaves some for the others. */
static int64_t share(int64_t now, int64_t until, int n)
{
    const int64_t least = 2 * GO_SECOND;
    int64_t ns = (until - now) / n;
    return ns >= least ? now + ns : until - now <= least ? until : now + least;
}

static void dial_list(struct dial *d)
{
    for (int i = 0; i < d->n; i++) {
        int64_t now = d->until ? os_now() : 0;
        bool late = d->until && now >= d->until;
        int err = late ? GO_ERR_TIMEOUT : dial_one(d, &d->addrs[i], d->until ? share(now, d->until, d->n - i) : 0, &d->handle);
        if (err == 0)
            return;
        if (!d->err)
            d->err = err;
        if (late || !set_connecting(d, 0))
            return;
    }
}

/* ---- two lists ---- */

struct pair {
    struct dial first, second;
    go_sem hurry;            /* given when the first has come to its end */
    go_waitgroup second_ended;
};

static void dial_second(struct pair *p)
{
    go_sem_acquire_timeout(&p->hurry, 1, fallback_ns());
    dial_list(&p->second);
    if (p->second.handle)
        give_up(&p->first);
    go_waitgroup_done(&p->second_ended);
}

/* Leaves the result in p->first. */
static void dial_both(struct pair *p)
{
    go_waitgroup_add(&p->second_ended, 1);
    go(dial_second, p);
    dial_list(&p->first);
    if (p->first.handle)
        give_up(&p->second);
    go_sem_release(&p->hurry, 1);
    go_waitgroup_wait(&p->second_ended);
    if (!p->first.handle)
        p->first.handle = p->second.handle;
    else if (p->second.handle)
        conn_close(p->second.handle);
}

/* How many addresses are of the first one's family; those come first then, each family in its order. */
static int sort_by_family(struct go_addr *addrs, int n)
{
    struct go_addr others[ADDRS];
    int first = 0, rest = 0;
    for (int i = 0; i < n; i++) {
        if (addrs[i].sa.ss_family == addrs[0].sa.ss_family)
            addrs[first++] = addrs[i];
        else
            others[rest++] = addrs[i];
    }
    memcpy(addrs + first, others, (size_t)rest * sizeof *addrs);
    return first;
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
    int nfirst = net.type == SOCK_STREAM ? sort_by_family(addrs, n) : n;
    struct pair p = {
        .first = {.addrs = addrs, .n = nfirst, .type = net.type, .until = until},
        .second = {.addrs = addrs + nfirst, .n = n - nfirst, .type = net.type, .until = until},
    };
    lock_init(&p.first.lock, DIAL);
    lock_init(&p.second.lock, DIAL);
    if (p.second.n > 0)
        dial_both(&p);
    else
        dial_list(&p.first);
    hook_sync_gone(&p, sizeof p);
    *out = (go_conn *)(uintptr_t)p.first.handle;
    return *out ? 0 : p.first.err;
}

int go_dial(const char *network, const char *address, go_conn **out)
{
    return go_dial_timeout(network, address, 0, out);
}
