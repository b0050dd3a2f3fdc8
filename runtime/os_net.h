/* What the netpoller and connections ask of the system; os_net_linux.c implements it. Results are as the system's, errors negative errno values.
 * errno is not touched, and nothing here is intercepted by a race detector. Calls are repeated when a signal interrupts them. */
#ifndef RT_OS_NET_H
#define RT_OS_NET_H

#include <sys/epoll.h>
#include <sys/socket.h>

#include "base.h"

int os_epoll_create(void);
int os_epoll_ctl(int epoll, int op, int fd, struct epoll_event *e);
/* timeout: ns, < 0: none. An interruption counts as a timeout. */
int os_epoll_wait(int epoll, struct epoll_event *events, int max, int64_t timeout_ns);
int os_eventfd(void);
void os_eventfd_read(int fd);
void os_eventfd_write(int fd);

/* Looks whether fd is ready: bit 0 for reading, bit 1 for writing (an error or a hang-up: both), 0: not now, or an error. */
int os_fd_poll(int fd, bool read, bool write);

int os_close(int fd);
int os_set_nonblock(int fd);   /* 1: it was so already */
void os_set_block(int fd);
long os_read(int fd, void *buf, size_t n);
long os_write_some(int fd, const void *buf, size_t n);
long os_send(int fd, const void *buf, size_t n);   /* no SIGPIPE */
long os_recv_from(int fd, void *buf, size_t n, struct sockaddr_storage *sa, socklen_t *len);
long os_send_to(int fd, const void *buf, size_t n, const struct sockaddr_storage *sa, socklen_t len);
int os_pipe(int fds[2]);

/* A socket that does not block and is not inherited over exec. */
int os_socket(int family, int type, int protocol);
int os_bind(int fd, const struct sockaddr_storage *sa, socklen_t len);
int os_listen(int fd, int backlog);
int os_accept(int fd);
int os_connect(int fd, const struct sockaddr_storage *sa, socklen_t len);
/* The error that a connect in the background ended with. */
int os_socket_error(int fd);
int os_setsockopt(int fd, int level, int name, int value);
int os_getsockopt(int fd, int level, int name);
int os_local_addr(int fd, struct sockaddr_storage *sa, socklen_t *len);
int os_peer_addr(int fd, struct sockaddr_storage *sa, socklen_t *len);
int os_shutdown(int fd, int how);
int os_unlink(const char *path);
/* From now on an os_write_some to a pipe that nobody reads is -EPIPE, not the end, unless the program handles SIGPIPE itself. */
void os_quiet_sigpipe(void);
/* A number that both ends of a pipe or of a connection within this process have in common, and others seldom have. */
uint32_t os_shared_key(int fd);

#endif
