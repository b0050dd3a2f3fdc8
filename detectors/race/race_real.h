/* libc's own functions, where the detector defines theirs: REAL(pthread_join)(t, &result). */
#ifndef RACE_REAL_H
#define RACE_REAL_H

#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <threads.h>
#include <unistd.h>

/* Calls of _FORTIFY_SOURCE. */
ssize_t __read_chk(int fd, void *p, size_t n, size_t room);
ssize_t __recv_chk(int fd, void *p, size_t n, size_t room, int flags);
ssize_t __recvfrom_chk(int fd, void *p, size_t n, size_t room, int flags, struct sockaddr *from, socklen_t *len);
int __poll_chk(struct pollfd *fds, nfds_t k, int timeout, size_t room);
int __ppoll_chk(struct pollfd *fds, nfds_t k, const struct timespec *timeout, const sigset_t *mask, size_t room);

struct race_real {
    bool found;
#define X(name) __typeof__(&(name)) f_##name;
#include "race_real.inc"
#include "race_shared.inc"
#undef X
};
extern struct race_real race_real;
void race_real_find(void);

#define REAL(name) (__builtin_expect(!race_real.found, 0) ? race_real_find() : (void)0, race_real.f_##name)

#endif
