/* The netpoller on Linux: one epoll descriptor for connections, registered edge-triggered for as long as they are open, one behind it for go_fd_wait
 * (fdwait.c), and an eventfd by which a waiting poller is called back. */
#define _GNU_SOURCE
#include "netpoll.h"

#include <errno.h>
#include <sys/epoll.h>

#include "internal.h"
#include "os_net.h"

/* What the data of an event says: a connection's handle, or one of these (no handle is that small). */
enum { TAG_BREAK = 0, TAG_FDWAIT = 1 };
enum { EVENTS = 128 };

static struct {
    struct lock lock;
    atomic_bool on;
    int epoll, event;
    atomic_bool called;   /* a break was written and not yet read */
} np = {.lock = LOCK_INIT(POLL)};

bool netpoll_is_on(void)
{
    return atomic_load_explicit(&np.on, memory_order_acquire);
}

static int add(int epoll, int fd, uint32_t events, uint64_t data)
{
    struct epoll_event e = {.events = events, .data.u64 = data};
    return os_epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e);
}

void netpoll_start(void)
{
    if (netpoll_is_on())
        return;
    sched_start();   /* this may be the program's first call: somebody has to poll */
    lock(&np.lock);
    bool first = !np.on;
    if (first) {
        np.epoll = os_epoll_create();
        np.event = np.epoll < 0 ? -1 : os_eventfd();
        int waits = np.event < 0 ? -1 : fdwait_start();
        if (waits < 0 || add(np.epoll, np.event, EPOLLIN, TAG_BREAK) < 0 || add(np.epoll, waits, EPOLLIN | EPOLLET, TAG_FDWAIT) < 0)
            rt_fatal("runtime: can't make the poller's descriptors; raise the limit of open files (ulimit -n)");
        atomic_store_explicit(&np.on, true, memory_order_seq_cst);
    }
    unlock(&np.lock);
    if (first)
        sched_poller_is_on();
}

int netpoll_add(int fd, uint64_t handle)
{
    return add(np.epoll, fd, EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP | EPOLLET, handle);
}

void netpoll_remove(int fd)
{
    struct epoll_event e = {0};
    os_epoll_ctl(np.epoll, EPOLL_CTL_DEL, fd, &e);
}

void netpoll_break(void)
{
    if (!atomic_exchange_explicit(&np.called, true, memory_order_seq_cst))
        os_eventfd_write(np.event);
}

void netpoll(struct gqueue *list, int64_t timeout_ns)
{
    struct epoll_event events[EVENTS];
    int n = os_epoll_wait(np.epoll, events, EVENTS, timeout_ns);
    bool waits = false;
    for (int i = 0; i < n; i++) {
        uint32_t e = events[i].events;
        uint64_t tag = events[i].data.u64;
        if (tag == TAG_BREAK) {
            /* Only a call that may wait takes it; to another it was not meant. A break between the read and the store writes nothing, and need
             * not: the poller returns and looks at everything anyway. */
            if (timeout_ns != 0) {
                os_eventfd_read(np.event);
                atomic_store_explicit(&np.called, false, memory_order_seq_cst);
            }
            continue;
        }
        if (tag == TAG_FDWAIT) {
            waits = true;
            continue;
        }
        struct poll_desc *pd = conn_poll_desc(tag);
        bool ask_first = e & (EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI);
        if (pd)
            netpoll_ready(list, pd, e & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR), e & (EPOLLOUT | EPOLLHUP | EPOLLERR), ask_first);
    }
    if (waits)
        fdwait_ready(list);
}
