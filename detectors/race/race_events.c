/* Waiting for descriptors: epoll, poll, select.
 *
 * epoll_ctl happens before epoll_wait of the same descriptor. And what was sent happens before the event that says it can be received: whoever is told to
 * end by a byte, and does not read it before it closes, is right. An event of epoll carries what the program gave for its descriptor, which is
 * found by that, in a table where the last one of a hash stays.
 *
 * The descriptors of an epoll, and those that poll and select look at, are not used thereby (race_fds.h): they serve to notice that something ends. */
#define _GNU_SOURCE
#include "race_events.h"

#include <stdint.h>

#include "race_calls.h"
#include "race_io.h"

/* ---- epoll ---- */

enum { WATCHED = 1 << 12 };
static struct {
    _Atomic(uint64_t) data;
    _Atomic(int) fd;      /* plus 1; 0: none */
} watched[WATCHED];

static unsigned place_of(uint64_t data)
{
    return (unsigned)(data * 0x9e3779b97f4a7c15u >> 52);
}
_Static_assert(WATCHED == 1 << (64 - 52), "the hash has as many bits");

static void watches(int fd, uint64_t data)
{
    unsigned i = place_of(data);
    atomic_store_explicit(&watched[i].fd, 0, memory_order_relaxed);
    atomic_store_explicit(&watched[i].data, data, memory_order_release);
    atomic_store_explicit(&watched[i].fd, fd + 1, memory_order_release);
}

static void told(const struct epoll_event *events, int n)
{
    for (int i = 0; i < n; i++) {
        uint64_t data = events[i].data.u64;
        unsigned at = place_of(data);
        int fd = atomic_load_explicit(&watched[at].fd, memory_order_acquire) - 1;
        if (fd >= 0 && atomic_load_explicit(&watched[at].data, memory_order_relaxed) == data && (events[i].events & ~(uint32_t)EPOLLOUT))
            race_io_ready(fd);
    }
}

void race_events_watched(int epfd, int op, int fd, const struct epoll_event *event)
{
    if (event && op != EPOLL_CTL_DEL && is_on())
        watches(fd, event->data.u64);
    race_io_sends(epfd);
}

void race_events_told(int epfd, const struct epoll_event *events, int got)
{
    if (got > 0) {
        race_io_received(epfd);
        told(events, got);
    }
}

int __real_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event);
int __wrap_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
    if (event && op != EPOLL_CTL_DEL)
        reads(event, sizeof *event, PC);
    race_fd_use(epfd, FD_EPOLL_CTL, PC);
    race_fd_use(fd, FD_EPOLL_CTL, PC);
    race_events_watched(epfd, op, fd, event);
    return __real_epoll_ctl(epfd, op, fd, event);
}

#define EPOLL_WAIT(name, parameters, arguments) \
    int __real_##name parameters; \
    int __wrap_##name parameters \
    { \
        race_fd_use(epfd, FD_EPOLL_WAIT, PC); \
        int got = BLOCKING(__real_##name arguments); \
        race_events_told(epfd, events, got); \
        if (got > 0) \
            writes(events, (size_t)got * sizeof *events, PC); \
        return got; \
    }
EPOLL_WAIT(epoll_wait, (int epfd, struct epoll_event *events, int max, int timeout), (epfd, events, max, timeout))
EPOLL_WAIT(epoll_pwait2, (int epfd, struct epoll_event *events, int max, const struct timespec *timeout, const sigset_t *mask),
           (epfd, events, max, timeout, mask))
EPOLL_WAIT(epoll_pwait, (int epfd, struct epoll_event *events, int max, int timeout, const sigset_t *mask), (epfd, events, max, timeout, mask))

/* ---- poll, select ---- */

void race_events_polled(const struct pollfd *fds, nfds_t k, int got)
{
    for (nfds_t i = 0; i < k && got > 0; i++)
        if (fds[i].revents & ~POLLOUT)
            race_io_ready(fds[i].fd);
}

static int polled(struct pollfd *fds, nfds_t k, int got, uintptr_t pc)
{
    race_events_polled(fds, k, got);
    for (nfds_t i = 0; i < k; i++) {
        reads(&fds[i], 6, pc);   /* fd and events */
        if (got >= 0)
            writes(&fds[i].revents, sizeof fds[i].revents, pc);
    }
    return got;
}

#define POLL(name, parameters, arguments) \
    int __real_##name parameters; \
    int __wrap_##name parameters \
    { \
        return polled(fds, k, BLOCKING(__real_##name arguments), PC); \
    }
POLL(poll, (struct pollfd *fds, nfds_t k, int timeout), (fds, k, timeout))
POLL(ppoll, (struct pollfd *fds, nfds_t k, const struct timespec *timeout, const sigset_t *mask), (fds, k, timeout, mask))
POLL(__poll_chk, (struct pollfd *fds, nfds_t k, int timeout, size_t room), (fds, k, timeout, room))
POLL(__ppoll_chk, (struct pollfd *fds, nfds_t k, const struct timespec *timeout, const sigset_t *mask, size_t room), (fds, k, timeout, mask, room))

void race_events_selected(const fd_set *in, const fd_set *special, int n, int got)
{
    for (int fd = 0; fd < n && got > 0; fd++)
        if ((in && FD_ISSET(fd, in)) || (special && FD_ISSET(fd, special)))
            race_io_ready(fd);
}

static void set_used(fd_set *set, int n, uintptr_t pc)
{
    if (set && n > 0)
        writes(set, ((size_t)n + 63) / 64 * 8, pc);
}

int __real_select(int n, fd_set *r, fd_set *w, fd_set *e, struct timeval *timeout);
int __wrap_select(int n, fd_set *r, fd_set *w, fd_set *e, struct timeval *timeout)
{
    int got = BLOCKING(__real_select(n, r, w, e, timeout));
    set_used(r, n, PC);
    set_used(w, n, PC);
    set_used(e, n, PC);
    race_events_selected(r, e, n, got);
    return got;
}

WAITS(int, pselect, (int n, fd_set *r_set, fd_set *w_set, fd_set *e_set, const struct timespec *timeout, const sigset_t *mask),
      (n, r_set, w_set, e_set, timeout, mask), ,
      ALL(ALL(set_used(r_set, n, pc), set_used(w_set, n, pc)), ALL(set_used(e_set, n, pc), race_events_selected(r_set, e_set, n, r))))
