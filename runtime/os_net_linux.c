/* Linux. See os_net.h. System calls by number: libc's wrappers set errno, and the race detector intercepts some. */
#define _GNU_SOURCE
#include "os_net.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/time_types.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "context.h"
#include "hooks.h"

#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif

#define CALL(nr, ...) CALL6_(nr, __VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define CALL6_(nr, a, b, c, d, e, f, ...) \
    ctx_syscall(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
/* Again if a signal came in between. */
#define CALL_AGAIN(...)                                \
    __extension__({                                    \
        long r_;                                       \
        do                                             \
            r_ = CALL(__VA_ARGS__);                    \
        while (rt_unlikely(r_ == -EINTR));             \
        r_;                                            \
    })

int os_epoll_create(void)
{
    return (int)CALL(SYS_epoll_create1, EPOLL_CLOEXEC);
}

int os_epoll_ctl(int epoll, int op, int fd, struct epoll_event *e)
{
    return (int)CALL(SYS_epoll_ctl, epoll, op, fd, e);
}

int os_epoll_wait(int epoll, struct epoll_event *events, int max, int64_t timeout_ns)
{
    static atomic_bool no_pwait2;   /* before Linux 5.11; relaxed: a late reader only tries once more */
    if (timeout_ns > 0 && !atomic_load_explicit(&no_pwait2, memory_order_relaxed)) {
        struct __kernel_timespec ts = {.tv_sec = timeout_ns / 1000000000, .tv_nsec = timeout_ns % 1000000000};
        long r = CALL(SYS_epoll_pwait2, epoll, events, max, &ts, 0, 8);
        if (r != -ENOSYS)
            return (int)r;
        atomic_store_explicit(&no_pwait2, true, memory_order_relaxed);
    }
    int64_t ms = timeout_ns < 0 ? -1 : (timeout_ns + 999999) / 1000000;
    return (int)CALL(SYS_epoll_pwait, epoll, events, max, ms > INT32_MAX ? INT32_MAX : ms, 0, 8);
}

int os_eventfd(void)
{
    return (int)CALL(SYS_eventfd2, 0, EFD_CLOEXEC | EFD_NONBLOCK);
}

void os_eventfd_read(int fd)
{
    uint64_t v;
    CALL_AGAIN(SYS_read, fd, &v, sizeof v);
}

void os_eventfd_write(int fd)
{
    uint64_t v = 1;
    CALL_AGAIN(SYS_write, fd, &v, sizeof v);
}

int os_fd_poll(int fd, bool read, bool write)
{
    struct pollfd p = {.fd = fd, .events = (short)((read ? POLLIN | POLLRDHUP : 0) | (write ? POLLOUT : 0))};
    struct __kernel_timespec zero = {0, 0};
    long r = CALL_AGAIN(SYS_ppoll, &p, 1, &zero, 0, 8);
    if (r <= 0)
        return (int)r;
    if (p.revents & POLLNVAL)
        return -EBADF;
    if (p.revents & (POLLERR | POLLHUP))
        return 3;
    return (p.revents & (POLLIN | POLLRDHUP) ? 1 : 0) | (p.revents & POLLOUT ? 2 : 0);
}

int os_close(int fd)
{
    return (int)CALL(SYS_close, fd);   /* not again: Linux has closed it even when interrupted */
}

int os_set_nonblock(int fd)
{
    long flags = CALL(SYS_fcntl, fd, F_GETFL);
    return flags < 0 ? (int)flags : flags & O_NONBLOCK ? 1 : (int)CALL(SYS_fcntl, fd, F_SETFL, flags | O_NONBLOCK);
}

void os_set_block(int fd)
{
    long flags = CALL(SYS_fcntl, fd, F_GETFL);
    if (flags >= 0)
        CALL(SYS_fcntl, fd, F_SETFL, flags & ~(long)O_NONBLOCK);
}

long os_read(int fd, void *buf, size_t n)
{
    return CALL_AGAIN(SYS_read, fd, buf, n);
}

static _Thread_local volatile bool writing;   /* a SIGPIPE is ours */

long os_write_some(int fd, const void *buf, size_t n)
{
    writing = true;
    long r = CALL_AGAIN(SYS_write, fd, buf, n);
    writing = false;
    return r;
}

long os_send(int fd, const void *buf, size_t n)
{
    return CALL_AGAIN(SYS_sendto, fd, buf, n, MSG_NOSIGNAL);
}

long os_recv_from(int fd, void *buf, size_t n, struct sockaddr_storage *sa, socklen_t *len)
{
    return CALL_AGAIN(SYS_recvfrom, fd, buf, n, 0, sa, len);
}

long os_send_to(int fd, const void *buf, size_t n, const struct sockaddr_storage *sa, socklen_t len)
{
    return CALL_AGAIN(SYS_sendto, fd, buf, n, MSG_NOSIGNAL, sa, len);
}

int os_pipe(int fds[2])
{
    return (int)CALL(SYS_pipe2, fds, O_CLOEXEC | O_NONBLOCK);
}

int os_socket(int family, int type, int protocol)
{
    return (int)CALL(SYS_socket, family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
}

int os_bind(int fd, const struct sockaddr_storage *sa, socklen_t len)
{
    return (int)CALL(SYS_bind, fd, sa, len);
}

int os_listen(int fd, int backlog)
{
    return (int)CALL(SYS_listen, fd, backlog);
}

int os_accept(int fd)
{
    long r;
    do
        r = CALL(SYS_accept4, fd, 0, 0, SOCK_NONBLOCK | SOCK_CLOEXEC);
    while (r == -EINTR || r == -ECONNABORTED);   /* a peer that gave up before it was accepted */
    return (int)r;
}

int os_connect(int fd, const struct sockaddr_storage *sa, socklen_t len)
{
    long r = CALL(SYS_connect, fd, sa, len);
    return r == -EINTR ? -EINPROGRESS : (int)r;   /* it goes on in the background either way */
}

int os_socket_error(int fd)
{
    return -os_getsockopt(fd, SOL_SOCKET, SO_ERROR);
}

int os_setsockopt(int fd, int level, int name, int value)
{
    return (int)CALL(SYS_setsockopt, fd, level, name, &value, sizeof value);
}

int os_getsockopt(int fd, int level, int name)
{
    int value = 0;
    socklen_t len = sizeof value;
    long r = CALL(SYS_getsockopt, fd, level, name, &value, &len);
    return r < 0 ? (int)r : value;
}

int os_local_addr(int fd, struct sockaddr_storage *sa, socklen_t *len)
{
    *len = sizeof *sa;
    return (int)CALL(SYS_getsockname, fd, sa, len);
}

int os_peer_addr(int fd, struct sockaddr_storage *sa, socklen_t *len)
{
    *len = sizeof *sa;
    return (int)CALL(SYS_getpeername, fd, sa, len);
}

int os_shutdown(int fd, int how)
{
    return (int)CALL(SYS_shutdown, fd, how);
}

int os_unlink(const char *path)
{
    return (int)CALL(SYS_unlink, path);
}

/* A write of the program's own, to a standard output that nobody reads, say, ends it as ever: the signal comes again when the handler returns. */
static void on_sigpipe(int sig)
{
    int saved = errno;
    struct sigaction as_ever = {.sa_handler = SIG_DFL};
    hook_ignore_begin();
    if (!writing && sigaction(sig, &as_ever, NULL) == 0)
        CALL(SYS_tgkill, CALL(SYS_getpid, 0), CALL(SYS_gettid, 0), sig);
    hook_ignore_end();
    errno = saved;
}

void os_quiet_sigpipe(void)
{
    struct sigaction old;
    hook_ignore_begin();
    if (sigaction(SIGPIPE, NULL, &old) == 0 && !(old.sa_flags & SA_SIGINFO) && old.sa_handler == SIG_DFL) {
        /* A handler, not SIG_IGN: programs that this one starts don't inherit it. */
        struct sigaction quiet = {.sa_handler = on_sigpipe, .sa_flags = SA_RESTART | SA_ONSTACK};
        sigaction(SIGPIPE, &quiet, NULL);
    }
    hook_ignore_end();
}

static uint32_t hash(const void *p, size_t n)
{
    const unsigned char *s = p;
    uint32_t h = 2166136261u;   /* FNV-1a */
    for (size_t i = 0; i < n; i++)
        h = (h ^ s[i]) * 16777619u;
    return h;
}

static uint32_t hash_of_ip(const struct sockaddr_storage *sa)
{
    if (sa->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)sa;
        return hash(&in->sin_addr, 4) ^ hash(&in->sin_port, 2) * 31;
    }
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)sa;
    return hash(&in6->sin6_addr, 16) ^ hash(&in6->sin6_port, 2) * 31;
}

uint32_t os_shared_key(int fd)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return 0;
    if (!S_ISSOCK(st.st_mode))
        return (uint32_t)st.st_ino * 2654435761u | 1;
    struct sockaddr_storage here, there;
    socklen_t n;
    if (os_local_addr(fd, &here, &n) < 0 || (here.ss_family != AF_INET && here.ss_family != AF_INET6) || os_peer_addr(fd, &there, &n) < 0)
        return 0;   /* Unix sockets and unconnected ones: all alike */
    return (hash_of_ip(&here) ^ hash_of_ip(&there)) | 1;
}
