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

/* Its three descriptors. What was opened is closed again if not all are to be had. */
static int open_locked(void)
{
    int waits = -1, err;
    np.event = -1;
    np.epoll = os_epoll_create();
    err = np.epoll;
    if (err >= 0)
        err = np.event = os_eventfd();
    if (err >= 0)
        err = waits = fdwait_start();
    if (err >= 0)
        err = add(np.epoll, np.event, EPOLLIN, TAG_BREAK);
    if (err >= 0)
        err = add(np.epoll, waits, EPOLLIN | EPOLLET, TAG_FDWAIT);
    if (err >= 0)
        return 0;
    int opened[] = {np.epoll, np.event, waits};
    for (int i = 0; i < 3; i++)
        if (opened[i] >= 0)
            os_close(opened[i]);
    return err;
}

int netpoll_start(void)
{
    if (netpoll_is_on())
        return 0;
    sched_start();   /* this may be the program's first call: somebody has to poll */
    lock(&np.lock);
    bool first = !np.on;
    int err = first ? open_locked() : 0;
    if (first && err == 0)
        atomic_store_explicit(&np.on, true, memory_order_seq_cst);
    unlock(&np.lock);
    if (first && err == 0)
        sched_poller_is_on();
    return err;
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
