/* Input, output and mappings of shared libraries. What a library sends through a pipe, a socket or an eventfd, and receives, is how it hands on what
 * the program gave it: its event loop wakes another thread so. That orders as the program's own calls do. But the library's buffers are its own business,
 * and so are its descriptors: those that it closes are only known to have gone through hands unseen (race_fds.h).
 *
 * The program's objects call __wrap_f, so that the f of the executable, which the loader finds first, is called by shared libraries alone. It could not
 * be called f here, nor could libc's own be called: --wrap sends __real_f to whatever is called f. So when all is joined into one object
 * (CMakeLists.txt) race_shared_f is given the name f, and those who call f or __real_f call race_libc_f. */
#define _GNU_SOURCE
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <hooks.h>

#include "race_events.h"
#include "race_io.h"
#include "race_libc.h"
#include "race_real.h"

#define SHARED(T, name, parameters, arguments, before, after) \
    T race_libc_##name parameters; \
    T race_libc_##name parameters { return REAL(name) arguments; } \
    T race_shared_##name parameters; \
    INTERPOSE T race_shared_##name parameters \
    { \
        before; \
        T r = BLOCKING(REAL(name) arguments); \
        after; \
        return r; \
    }

/* ---- bytes ---- */

#define SHARED_READ(name, parameters, arguments) SHARED(ssize_t, name, parameters, arguments, , if (r >= 0) race_io_reads(fd))
#define SHARED_RECEIVE(T, name, parameters, arguments) SHARED(T, name, parameters, arguments, , if (r >= 0) race_io_received(fd))
SHARED_READ(read, (int fd, void *p, size_t n), (fd, p, n))
SHARED_READ(__read_chk, (int fd, void *p, size_t n, size_t room), (fd, p, n, room))
SHARED_READ(readv, (int fd, const struct iovec *v, int k), (fd, v, k))
SHARED_RECEIVE(ssize_t, recv, (int fd, void *p, size_t n, int flags), (fd, p, n, flags))
SHARED_RECEIVE(ssize_t, __recv_chk, (int fd, void *p, size_t n, size_t room, int flags), (fd, p, n, room, flags))
SHARED_RECEIVE(ssize_t, recvfrom, (int fd, void *p, size_t n, int flags, struct sockaddr *from, socklen_t *len), (fd, p, n, flags, from, len))
SHARED_RECEIVE(ssize_t, __recvfrom_chk, (int fd, void *p, size_t n, size_t room, int flags, struct sockaddr *from, socklen_t *len),
               (fd, p, n, room, flags, from, len))
SHARED_RECEIVE(ssize_t, recvmsg, (int fd, struct msghdr *m, int flags), (fd, m, flags))
SHARED_RECEIVE(int, recvmmsg, (int fd, struct mmsghdr *m, unsigned k, int flags, struct timespec *timeout), (fd, m, k, flags, timeout))
SHARED_RECEIVE(int, eventfd_read, (int fd, eventfd_t *value), (fd, value))

#define SHARED_WRITE(name, parameters, arguments) SHARED(ssize_t, name, parameters, arguments, race_io_writes(fd), )
#define SHARED_SEND(T, name, parameters, arguments) SHARED(T, name, parameters, arguments, race_io_sends(fd), )
SHARED_WRITE(write, (int fd, const void *p, size_t n), (fd, p, n))
SHARED_WRITE(writev, (int fd, const struct iovec *v, int k), (fd, v, k))
SHARED_SEND(ssize_t, send, (int fd, const void *p, size_t n, int flags), (fd, p, n, flags))
SHARED_SEND(ssize_t, sendto, (int fd, const void *p, size_t n, int flags, const struct sockaddr *to, socklen_t len), (fd, p, n, flags, to, len))
SHARED_SEND(ssize_t, sendmsg, (int fd, const struct msghdr *m, int flags), (fd, m, flags))
SHARED_SEND(int, sendmmsg, (int fd, struct mmsghdr *m, unsigned k, int flags), (fd, m, k, flags))
SHARED_SEND(ssize_t, sendfile, (int fd, int from, off_t *at, size_t n), (fd, from, at, n))
SHARED_SEND(ssize_t, sendfile64, (int fd, int from, off64_t *at, size_t n), (fd, from, at, n))
SHARED_SEND(int, eventfd_write, (int fd, eventfd_t value), (fd, value))
SHARED_SEND(int, shutdown, (int fd, int how), (fd, how))

/* ---- waiting for them ---- */

SHARED(int, epoll_ctl, (int epfd, int op, int fd, struct epoll_event *event), (epfd, op, fd, event), race_events_watched(epfd, op, fd, event), )
SHARED(int, epoll_wait, (int epfd, struct epoll_event *events, int max, int timeout), (epfd, events, max, timeout), , race_events_told(epfd, events, r))
SHARED(int, epoll_pwait, (int epfd, struct epoll_event *events, int max, int timeout, const sigset_t *mask), (epfd, events, max, timeout, mask), ,
       race_events_told(epfd, events, r))
SHARED(int, poll, (struct pollfd *fds, nfds_t k, int timeout), (fds, k, timeout), , race_events_polled(fds, k, r))
SHARED(int, __poll_chk, (struct pollfd *fds, nfds_t k, int timeout, size_t room), (fds, k, timeout, room), , race_events_polled(fds, k, r))
SHARED(int, ppoll, (struct pollfd *fds, nfds_t k, const struct timespec *timeout, const sigset_t *mask), (fds, k, timeout, mask), ,
       race_events_polled(fds, k, r))
SHARED(int, __ppoll_chk, (struct pollfd *fds, nfds_t k, const struct timespec *timeout, const sigset_t *mask, size_t room), (fds, k, timeout, mask, room), ,
       race_events_polled(fds, k, r))
SHARED(int, select, (int n, fd_set *in, fd_set *out, fd_set *special, struct timeval *timeout), (n, in, out, special, timeout), ,
       race_events_selected(in, special, n, r))
SHARED(int, pselect, (int n, fd_set *in, fd_set *out, fd_set *special, const struct timespec *timeout, const sigset_t *mask),
       (n, in, out, special, timeout, mask), , race_events_selected(in, special, n, r))

/* ---- the lives of descriptors ---- */

SHARED(int, connect, (int fd, const struct sockaddr *to, socklen_t len), (fd, to, len), hook_io_connects(), )
SHARED(int, accept, (int fd, struct sockaddr *from, socklen_t *len), (fd, from, len), , if (r >= 0) race_io_accepted_unseen(r))
SHARED(int, accept4, (int fd, struct sockaddr *from, socklen_t *len, int flags), (fd, from, len, flags), , if (r >= 0) race_io_accepted_unseen(r))
SHARED(int, socket, (int domain, int type, int protocol), (domain, type, protocol), , race_fd_opened_unseen(r))
static void closes(int fd)
{
    race_io_sends(fd);
    race_fd_closes_unseen(fd);
}
SHARED(int, close, (int fd), (fd), closes(fd), )

/* ---- mappings: a new life for their memory ---- */

SHARED(void *, mmap, (void *at, size_t n, int prot, int flags, int fd, off_t from), (at, n, prot, flags, fd, from), , race_io_mapped(r, n))
SHARED(void *, mmap64, (void *at, size_t n, int prot, int flags, int fd, off64_t from), (at, n, prot, flags, fd, from), , race_io_mapped(r, n))
SHARED(void *, mremap, (void *old, size_t was, size_t n, int flags, void *to), (old, was, n, flags, to), , race_io_remapped(r, old, was, n))
