/* go_fd_wait: waiting for descriptors that belong to somebody else. They come and go without our being told, so nothing is kept: each wait
 * registers the descriptor, one-shot, with an epoll descriptor of its own behind the poller's, and takes it out again at its end.
 *
 * Several goroutines may wait for one descriptor, which epoll takes only once: a table keyed by descriptor holds the waiters of each,
 * and what is registered is the union of what they want. Table and registration change together under one lock. */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/epoll.h>

#include <gort/net.h>
#include <gort/time.h>

#include "internal.h"
#include "netpoll.h"
#include "os.h"
#include "os_net.h"

enum { BUCKETS = 256, EVENTS = 64 };

struct fdwaiter {
    struct fdwaiter *next;     /* in its bucket */
    struct g *g;
    int fd;
    int events;                /* GO_READABLE | GO_WRITABLE wanted */
    int got;                   /* what came; 0: the timeout */
    bool listed;
    struct timer timer;
};

static struct {
    struct lock lock;          /* rank FDWAIT */
    int epoll;
    struct fdwaiter *bucket[BUCKETS];
} fw = {.lock = LOCK_INIT(FDWAIT), .epoll = -1};

int fdwait_start(void)
{
    return fw.epoll = os_epoll_create();
}

static uint32_t epoll_events(int events)
{
    return (events & GO_READABLE ? EPOLLIN | EPOLLRDHUP : 0u) | (events & GO_WRITABLE ? EPOLLOUT : 0u);
}

/* Registers what the waiters of fd want now. 0 or -errno. */
static int update_locked(int fd)
{
    int events = 0;
    for (struct fdwaiter *w = fw.bucket[fd % BUCKETS]; w; w = w->next)
        events |= w->fd == fd ? w->events : 0;
    struct epoll_event e = {.events = epoll_events(events) | EPOLLONESHOT, .data.fd = fd};
    if (events == 0) {
        os_epoll_ctl(fw.epoll, EPOLL_CTL_DEL, fd, &e);
        return 0;
    }
    int err = os_epoll_ctl(fw.epoll, EPOLL_CTL_ADD, fd, &e);
    return err == -EEXIST ? os_epoll_ctl(fw.epoll, EPOLL_CTL_MOD, fd, &e) : err;
}

static void unlist_locked(struct fdwaiter *w)
{
    struct fdwaiter **link = &fw.bucket[w->fd % BUCKETS];
    while (*link != w)
        link = &(*link)->next;
    *link = w->next;
    w->listed = false;
}

static void expired(struct m *m, struct timer *t)
{
    struct fdwaiter *w = rt_container_of(t, struct fdwaiter, timer);
    lock(&fw.lock);
    bool mine = w->listed;
    if (mine) {
        unlist_locked(w);
        update_locked(w->fd);
    }
    unlock(&fw.lock);
    if (mine)
        rt_ready(m, w->g);
}

void fdwait_ready(struct gqueue *list)
{
    struct epoll_event events[EVENTS];
    int n;
    do {
        n = os_epoll_wait(fw.epoll, events, EVENTS, 0);
        lock(&fw.lock);
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            uint32_t e = events[i].events;
            int got = (e & (EPOLLIN | EPOLLRDHUP) ? GO_READABLE : 0) | (e & EPOLLOUT ? GO_WRITABLE : 0);
            if (e & (EPOLLERR | EPOLLHUP))
                got = GO_READABLE | GO_WRITABLE;
            for (struct fdwaiter *w = fw.bucket[fd % BUCKETS], *next; w; w = next) {
                next = w->next;
                if (w->fd != fd || !(w->events & got))
                    continue;
                unlist_locked(w);
                w->got = w->events & got;
                w->g->next = NULL;
                if (list->last)
                    list->last->next = w->g;
                else
                    list->first = w->g;
                list->last = w->g;
                atomic_fetch_add_explicit(&list->n, 1, memory_order_relaxed);
            }
            update_locked(fd);   /* one-shot: for those that wait for the other side still */
        }
        unlock(&fw.lock);
    } while (n == EVENTS);
}

struct park {
    struct fdwaiter *w;
    int64_t until;
};

static void parked(void *arg)
{
    struct park *p = arg;
    if (p->until != TIMER_NEVER) {
        p->w->timer.fn = expired;
        sched_timer_start(rt_m(), &p->w->timer, p->until);
    }
    unlock(&fw.lock);
}

int go_fd_wait(int fd, int events, int64_t ns)
{
    if (fd < 0)
        return -EBADF;
    if (!(events & (GO_READABLE | GO_WRITABLE)))
        return -EINVAL;
    int now = os_fd_poll(fd, events & GO_READABLE, events & GO_WRITABLE);
    if (now > 0)
        hook_io_ready(fd);
    if (now != 0)
        return now < 0 ? now : ((now & 1 ? GO_READABLE : 0) | (now & 2 ? GO_WRITABLE : 0)) & events;
    if (ns == 0)
        return GO_ERR_TIMEOUT;
    int started = netpoll_start();
    if (started < 0)
        return started;
    struct m *m = rt_enter();
    struct fdwaiter w = {.g = m->g, .fd = fd, .events = events & (GO_READABLE | GO_WRITABLE), .listed = true};
    struct park p = {&w, TIMER_NEVER};
    if (ns > 0) {
        int64_t t = os_now();
        p.until = ns > INT64_MAX - 1 - t ? INT64_MAX - 1 : t + ns;
    }
    lock(&fw.lock);
    w.next = fw.bucket[fd % BUCKETS];
    fw.bucket[fd % BUCKETS] = &w;
    int err = update_locked(fd);
    if (err < 0) {
        unlist_locked(&w);
        unlock(&fw.lock);
        rt_leave();
        return err == -EPERM ? w.events : err;   /* EPERM: a regular file, always ready */
    }
    atomic_fetch_add_explicit(&netpoll_waiters, 1, memory_order_seq_cst);
    rt_park_with(parked, &p, GORT_WAIT_IO);
    atomic_fetch_sub_explicit(&netpoll_waiters, 1, memory_order_seq_cst);
    if (p.until != TIMER_NEVER)
        timer_stop(&w.timer);
    if (w.got)
        hook_io_ready(fd);
    rt_leave();
    return w.got ? w.got : GO_ERR_TIMEOUT;
}
