/* Reading and writing descriptors: the buffers are accesses of the caller, and bytes carry order with them (race_meetings.c).
 *
 * Each call is a use of its descriptor (race_fds.h), which comes first: before it blocks, and before it is known to whoever it wakes. But not shutdown:
 * who is woken by it is told nothing, by a failing call, and may close. */
#define _GNU_SOURCE
#include "race_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <hooks.h>

#include "race_calls.h"
#include "race_shadow.h"

static uint64_t connects;   /* never read or written */

/* ---- one buffer ---- */

static ssize_t has_read(int fd, void *p, ssize_t n, void (*order)(int), uintptr_t pc)
{
    if (n >= 0) {
        order(fd);
        writes(p, (size_t)n, pc);
    }
    return n;
}

#define READ_BY(name, parameters, arguments, order) \
    ssize_t __real_##name parameters; \
    ssize_t __wrap_##name parameters \
    { \
        race_fd_use(fd, FD_READ, PC); \
        return has_read(fd, p, BLOCKING(__real_##name arguments), order, PC); \
    }
#define READ(name, parameters, arguments) READ_BY(name, parameters, arguments, race_io_reads)
#define READ_AT(name, parameters, arguments) READ_BY(name, parameters, arguments, race_io_received)
READ(read, (int fd, void *p, size_t n), (fd, p, n))
READ_AT(pread, (int fd, void *p, size_t n, off_t at), (fd, p, n, at))
READ_AT(pread64, (int fd, void *p, size_t n, off_t at), (fd, p, n, at))
READ(recv, (int fd, void *p, size_t n, int flags), (fd, p, n, flags))
READ(__read_chk, (int fd, void *p, size_t n, size_t room), (fd, p, n, room))
READ_AT(__pread_chk, (int fd, void *p, size_t n, off_t at, size_t room), (fd, p, n, at, room))
READ_AT(__pread64_chk, (int fd, void *p, size_t n, off_t at, size_t room), (fd, p, n, at, room))
READ(__recv_chk, (int fd, void *p, size_t n, size_t room, int flags), (fd, p, n, room, flags))

static ssize_t has_read_from(int fd, void *p, ssize_t n, void *from, const socklen_t *len, socklen_t room, uintptr_t pc)
{
    if (n >= 0 && from) {
        writes(from, *len < room ? *len : room, pc);
        writes(len, sizeof *len, pc);
    }
    return has_read(fd, p, n, race_io_received, pc);
}

ssize_t __real_recvfrom(int fd, void *p, size_t n, int flags, void *from, socklen_t *len);
ssize_t __wrap_recvfrom(int fd, void *p, size_t n, int flags, void *from, socklen_t *len)
{
    socklen_t room = from ? *len : 0;
    race_fd_use(fd, FD_READ, PC);
    return has_read_from(fd, p, BLOCKING(__real_recvfrom(fd, p, n, flags, from, len)), from, len, room, PC);
}

ssize_t __real___recvfrom_chk(int fd, void *p, size_t n, size_t space, int flags, void *from, socklen_t *len);
ssize_t __wrap___recvfrom_chk(int fd, void *p, size_t n, size_t space, int flags, void *from, socklen_t *len)
{
    socklen_t room = from ? *len : 0;
    race_fd_use(fd, FD_READ, PC);
    return has_read_from(fd, p, BLOCKING(__real___recvfrom_chk(fd, p, n, space, flags, from, len)), from, len, room, PC);
}

#define WRITE_BY(name, parameters, arguments, order) \
    ssize_t __real_##name parameters; \
    ssize_t __wrap_##name parameters \
    { \
        reads(p, n, PC); \
        race_fd_use(fd, FD_WRITE, PC); \
        order(fd); \
        return BLOCKING(__real_##name arguments); \
    }
#define WRITE(name, parameters, arguments) WRITE_BY(name, parameters, arguments, race_io_writes)
#define WRITE_AT(name, parameters, arguments) WRITE_BY(name, parameters, arguments, race_io_sends)
WRITE(write, (int fd, const void *p, size_t n), (fd, p, n))
WRITE_AT(pwrite, (int fd, const void *p, size_t n, off_t at), (fd, p, n, at))
WRITE_AT(pwrite64, (int fd, const void *p, size_t n, off_t at), (fd, p, n, at))
WRITE(send, (int fd, const void *p, size_t n, int flags), (fd, p, n, flags))

ssize_t __real_sendto(int fd, const void *p, size_t n, int flags, const void *to, socklen_t len);
ssize_t __wrap_sendto(int fd, const void *p, size_t n, int flags, const void *to, socklen_t len)
{
    reads(p, n, PC);
    if (to)
        reads(to, len, PC);
    race_fd_use(fd, FD_WRITE, PC);
    race_io_sends(fd);
    return BLOCKING(__real_sendto(fd, p, n, flags, to, len));
}

/* ---- several ---- */

static void reads_all(const struct iovec *v, size_t k, uintptr_t pc)
{
    reads(v, k * sizeof *v, pc);
    for (size_t i = 0; i < k; i++)
        reads(v[i].iov_base, v[i].iov_len, pc);
}

static void writes_first(const struct iovec *v, size_t k, size_t n, uintptr_t pc)
{
    reads(v, k * sizeof *v, pc);
    for (size_t i = 0; i < k && n > 0; i++) {
        size_t part = v[i].iov_len < n ? v[i].iov_len : n;
        writes(v[i].iov_base, part, pc);
        n -= part;
    }
}

static ssize_t has_scattered(int fd, const struct iovec *v, int k, ssize_t n, void (*order)(int), uintptr_t pc)
{
    if (n >= 0) {
        order(fd);
        writes_first(v, (size_t)k, (size_t)n, pc);
    }
    return n;
}

#define READ_V(name, parameters, arguments, order) \
    ssize_t __real_##name parameters; \
    ssize_t __wrap_##name parameters \
    { \
        race_fd_use(fd, FD_READ, PC); \
        return has_scattered(fd, v, k, BLOCKING(__real_##name arguments), order, PC); \
    }
READ_V(readv, (int fd, const struct iovec *v, int k), (fd, v, k), race_io_reads)
READ_V(preadv, (int fd, const struct iovec *v, int k, off_t at), (fd, v, k, at), race_io_received)
READ_V(preadv64, (int fd, const struct iovec *v, int k, off_t at), (fd, v, k, at), race_io_received)
READ_V(preadv2, (int fd, const struct iovec *v, int k, off_t at, int flags), (fd, v, k, at, flags), race_io_received)
READ_V(preadv64v2, (int fd, const struct iovec *v, int k, off_t at, int flags), (fd, v, k, at, flags), race_io_received)

#define WRITE_V(name, parameters, arguments, order) \
    ssize_t __real_##name parameters; \
    ssize_t __wrap_##name parameters \
    { \
        reads_all(v, k > 0 ? (size_t)k : 0, PC); \
        race_fd_use(fd, FD_WRITE, PC); \
        order(fd); \
        return BLOCKING(__real_##name arguments); \
    }
WRITE_V(writev, (int fd, const struct iovec *v, int k), (fd, v, k), race_io_writes)
WRITE_V(pwritev, (int fd, const struct iovec *v, int k, off_t at), (fd, v, k, at), race_io_sends)
WRITE_V(pwritev64, (int fd, const struct iovec *v, int k, off_t at), (fd, v, k, at), race_io_sends)
WRITE_V(pwritev2, (int fd, const struct iovec *v, int k, off_t at, int flags), (fd, v, k, at, flags), race_io_sends)
WRITE_V(pwritev64v2, (int fd, const struct iovec *v, int k, off_t at, int flags), (fd, v, k, at, flags), race_io_sends)

/* Another process's memory, or the program's own, of which the remote side is not looked at: mostly it is not there. */
#define REMOTE(name, before, after) \
    CALL(ssize_t, name, (pid_t pid, const struct iovec *v, unsigned long k, const struct iovec *remote, unsigned long m, unsigned long flags), \
         (pid, v, k, remote, m, flags), ALL(reads_given(remote, m * sizeof *remote, pc), before), after)
REMOTE(process_vm_readv, reads_given(v, k * sizeof *v, pc), if (r > 0) writes_first(v, k, (size_t)r, pc))
REMOTE(process_vm_writev, reads_all(v, k, pc), )

/* From descriptor to descriptor: what was sent through the one reaches the other. */
#define ACROSS(T, name, parameters, arguments, after) \
    WAITS(T, name, parameters, arguments, ALL(race_fd_use(from, FD_READ, pc), ALL(race_fd_use(to, FD_WRITE, pc), race_io_sends(to))), \
          if (r >= 0) ALL(race_io_received(from), after))
ACROSS(ssize_t, sendfile, (int to, int from, off_t *at, size_t n), (to, from, at, n), OUT(at))
ACROSS(ssize_t, sendfile64, (int to, int from, off64_t *at, size_t n), (to, from, at, n), OUT(at))
ACROSS(ssize_t, splice, (int from, off64_t *at, int to, off64_t *to_at, size_t n, unsigned flags), (from, at, to, to_at, n, flags), ALL(OUT(at), OUT(to_at)))
ACROSS(ssize_t, copy_file_range, (int from, off64_t *at, int to, off64_t *to_at, size_t n, unsigned flags), (from, at, to, to_at, n, flags),
       ALL(OUT(at), OUT(to_at)))
ACROSS(ssize_t, tee, (int from, int to, size_t n, unsigned flags), (from, to, n, flags), )

static void message_sent(const struct msghdr *m, uintptr_t pc)
{
    reads(m, sizeof *m, pc);
    if (m->msg_name)
        reads(m->msg_name, m->msg_namelen, pc);
    if (m->msg_control)
        reads(m->msg_control, m->msg_controllen, pc);
    reads_all(m->msg_iov, m->msg_iovlen, pc);
}

static void descriptors_received(const int *fds, size_t n, uintptr_t pc)
{
    for (size_t i = 0; i < n; i++)
        race_fd_opened(fds[i], pc);
}

static void message_received(const struct msghdr *m, size_t n, uintptr_t pc)
{
    writes(m, sizeof *m, pc);
    if (m->msg_name)
        writes(m->msg_name, m->msg_namelen, pc);
    if (m->msg_control)
        writes(m->msg_control, m->msg_controllen, pc);
    writes_first(m->msg_iov, m->msg_iovlen, n, pc);
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR((struct msghdr *)m, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
            descriptors_received((const int *)CMSG_DATA(c), (c->cmsg_len - CMSG_LEN(0)) / sizeof(int), pc);
}

ssize_t __real_sendmsg(int fd, const struct msghdr *m, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *m, int flags)
{
    message_sent(m, PC);
    race_fd_use(fd, FD_WRITE, PC);
    race_io_sends(fd);
    return BLOCKING(__real_sendmsg(fd, m, flags));
}

int __real_sendmmsg(int fd, struct mmsghdr *m, unsigned k, int flags);
int __wrap_sendmmsg(int fd, struct mmsghdr *m, unsigned k, int flags)
{
    for (unsigned i = 0; i < k; i++)
        message_sent(&m[i].msg_hdr, PC);
    race_fd_use(fd, FD_WRITE, PC);
    race_io_sends(fd);
    int sent = BLOCKING(__real_sendmmsg(fd, m, k, flags));
    for (int i = 0; i < sent; i++)
        writes(&m[i].msg_len, sizeof m[i].msg_len, PC);
    return sent;
}

ssize_t __real_recvmsg(int fd, struct msghdr *m, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *m, int flags)
{
    race_fd_use(fd, FD_READ, PC);
    ssize_t n = BLOCKING(__real_recvmsg(fd, m, flags));
    if (n >= 0) {
        race_io_received(fd);
        message_received(m, (size_t)n, PC);
    }
    return n;
}

int __real_recvmmsg(int fd, struct mmsghdr *m, unsigned k, int flags, struct timespec *timeout);
int __wrap_recvmmsg(int fd, struct mmsghdr *m, unsigned k, int flags, struct timespec *timeout)
{
    race_fd_use(fd, FD_READ, PC);
    int got = BLOCKING(__real_recvmmsg(fd, m, k, flags, timeout));
    if (got >= 0)
        race_io_received(fd);
    for (int i = 0; i < got; i++) {
        writes(&m[i].msg_len, sizeof m[i].msg_len, PC);
        message_received(&m[i].msg_hdr, m[i].msg_len, PC);
    }
    return got;
}

/* ---- connecting, closing: what precedes connect happens before what follows accept; the end of a stream is received too ---- */

void hook_io_connects(void)
{
    race_release_merge(race_cur(), &connects);
}

void hook_io_accepted(void)
{
    race_acquire(race_cur(), &connects);
}

void hook_io_ready(int fd)
{
    race_io_received(fd);
}

void race_io_accepted_unseen(int fd)
{
    hook_io_accepted();
    race_fd_opened_unseen(fd);
}

int __real_connect(int fd, const struct sockaddr *to, socklen_t len);
int __wrap_connect(int fd, const struct sockaddr *to, socklen_t len)
{
    reads(to, len, PC);
    race_fd_use(fd, FD_CONNECT, PC);
    hook_io_connects();
    return BLOCKING(__real_connect(fd, to, len));
}

static int accepted(int fd, void *from, const socklen_t *len, socklen_t room, uintptr_t pc)
{
    if (race_fd_opened(fd, pc) >= 0) {
        race_acquire(race_cur(), &connects);
        if (from) {
            writes(from, *len < room ? *len : room, pc);
            writes(len, sizeof *len, pc);
        }
    }
    return fd;
}

int __real_accept(int fd, struct sockaddr *from, socklen_t *len);
int __wrap_accept(int fd, struct sockaddr *from, socklen_t *len)
{
    socklen_t room = from ? *len : 0;
    race_fd_use(fd, FD_ACCEPT, PC);
    return accepted(BLOCKING(__real_accept(fd, from, len)), from, len, room, PC);
}

int __real_accept4(int fd, struct sockaddr *from, socklen_t *len, int flags);
int __wrap_accept4(int fd, struct sockaddr *from, socklen_t *len, int flags)
{
    socklen_t room = from ? *len : 0;
    race_fd_use(fd, FD_ACCEPT, PC);
    return accepted(BLOCKING(__real_accept4(fd, from, len, flags)), from, len, room, PC);
}

int __real_close(int fd);
int __wrap_close(int fd)
{
    race_io_closes(fd, PC);
    return __real_close(fd);
}

int __real_shutdown(int fd, int how);
int __wrap_shutdown(int fd, int how)
{
    race_io_sends(fd);
    return __real_shutdown(fd, how);
}

#define PAIR(name, parameters, arguments) \
    int __real_##name parameters; \
    int __wrap_##name parameters \
    { \
        int err = __real_##name arguments; \
        if (err == 0) { \
            writes(fds, 2 * sizeof *fds, PC); \
            race_fd_opened(fds[0], PC); \
            race_fd_opened(fds[1], PC); \
        } \
        return err; \
    }
PAIR(pipe, (int *fds), (fds))
PAIR(pipe2, (int *fds, int flags), (fds, flags))
PAIR(socketpair, (int domain, int type, int protocol, int *fds), (domain, type, protocol, fds))

#define OPEN(name, parameters, arguments) \
    int __real_##name parameters; \
    int __wrap_##name parameters { return race_fd_opened(__real_##name arguments, PC); }
OPEN(socket, (int domain, int type, int protocol), (domain, type, protocol))
OPEN(eventfd, (unsigned value, int flags), (value, flags))
OPEN(epoll_create, (int size), (size))
OPEN(epoll_create1, (int flags), (flags))

CALL(int, creat, (const char *path, mode_t mode), (path, mode), TEXT_IN(path), race_fd_opened(r, pc))
CALL(int, creat64, (const char *path, mode_t mode), (path, mode), TEXT_IN(path), race_fd_opened(r, pc))
#define OPEN_MODE(name, parameters, mode, arguments) \
    int __real_##name parameters; \
    int __wrap_##name parameters \
    { \
        va_list args; \
        va_start(args, flags); \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0; \
        va_end(args); \
        reads_text(path, PC); \
        return race_fd_opened(BLOCKING(__real_##name arguments), PC); \
    }
/* Open under _FORTIFY_SOURCE, with flags that the compiler does not know. */
CALL(int, __open_2, (const char *path, int flags), (path, flags), TEXT_IN(path), race_fd_opened(r, pc))
CALL(int, __open64_2, (const char *path, int flags), (path, flags), TEXT_IN(path), race_fd_opened(r, pc))
CALL(int, __openat_2, (int dir, const char *path, int flags), (dir, path, flags), TEXT_IN(path), race_fd_opened(r, pc))
CALL(int, __openat64_2, (int dir, const char *path, int flags), (dir, path, flags), TEXT_IN(path), race_fd_opened(r, pc))
OPEN_MODE(open, (const char *path, int flags, ...), mode, (path, flags, mode))
OPEN_MODE(open64, (const char *path, int flags, ...), mode, (path, flags, mode))
OPEN_MODE(openat, (int dir, const char *path, int flags, ...), mode, (dir, path, flags, mode))
OPEN_MODE(openat64, (int dir, const char *path, int flags, ...), mode, (dir, path, flags, mode))

CALL(int, dup, (int fd), (fd), race_fd_use(fd, FD_DUP, pc), race_fd_opened(r, pc))

/* The number's former life ends in the same call. */
static int onto(int fd, int to, int result, uintptr_t pc)
{
    if (fd != to && race_fd_opened(result, pc) >= 0)
        race_fd_use(to, FD_DUP_ONTO, pc);
    return result;
}

static void goes_onto(int fd, int to, uintptr_t pc)
{
    race_fd_use(fd, FD_DUP, pc);
    if (fd != to)
        race_io_replaces(to);
}

int __real_dup2(int fd, int to);
int __wrap_dup2(int fd, int to)
{
    goes_onto(fd, to, PC);
    return onto(fd, to, __real_dup2(fd, to), PC);
}

int __real_dup3(int fd, int to, int flags);
int __wrap_dup3(int fd, int to, int flags)
{
    goes_onto(fd, to, PC);
    return onto(fd, to, __real_dup3(fd, to, flags), PC);
}

/* ---- eventfd ---- */

int __real_eventfd_read(int fd, eventfd_t *value);
int __wrap_eventfd_read(int fd, eventfd_t *value)
{
    race_fd_use(fd, FD_READ, PC);
    int err = BLOCKING(__real_eventfd_read(fd, value));
    if (err == 0)
        has_read(fd, value, sizeof *value, race_io_received, PC);
    return err;
}

int __real_eventfd_write(int fd, eventfd_t value);
int __wrap_eventfd_write(int fd, eventfd_t value)
{
    race_fd_use(fd, FD_WRITE, PC);
    race_io_sends(fd);
    return BLOCKING(__real_eventfd_write(fd, value));
}

/* ---- sleeping and waiting for signals: nothing but time passes ---- */

unsigned __real_sleep(unsigned s);
unsigned __wrap_sleep(unsigned s) { return BLOCKING(__real_sleep(s)); }
int __real_usleep(useconds_t us);
int __wrap_usleep(useconds_t us) { return BLOCKING(__real_usleep(us)); }
int __real_pause(void);
int __wrap_pause(void) { return BLOCKING(__real_pause()); }

/* ---- mappings: a new life for their memory ---- */

void race_io_mapped(void *p, size_t n)
{
    if (p != MAP_FAILED && is_on())
        shadow_clear((uintptr_t)p, n);
}

void race_io_remapped(void *p, const void *old, size_t was, size_t n)
{
    if (p != old)
        race_io_mapped(p, n);
    else if (n > was)
        race_io_mapped((char *)p + was, n - was);
}

/* By the program: the beginning is as written to by the call. */
static void *mapped(void *p, size_t n, uintptr_t pc)
{
    enum { BEGINNING = 1024 };
    race_io_mapped(p, n);
    if (p != MAP_FAILED && is_on())
        race_access_born(race_cur(), (uintptr_t)p, n < BEGINNING ? n : BEGINNING, pc);
    return p;
}

void *__real_mmap(void *at, size_t n, int prot, int flags, int fd, off_t from);
void *__wrap_mmap(void *at, size_t n, int prot, int flags, int fd, off_t from)
{
    race_fd_use(fd, FD_MAP, PC);
    return mapped(__real_mmap(at, n, prot, flags, fd, from), n, PC);
}

void *__real_mmap64(void *at, size_t n, int prot, int flags, int fd, off_t from);
void *__wrap_mmap64(void *at, size_t n, int prot, int flags, int fd, off_t from)
{
    race_fd_use(fd, FD_MAP, PC);
    return mapped(__real_mmap64(at, n, prot, flags, fd, from), n, PC);
}

CALL(int, mincore, (void *at, size_t n, unsigned char *to), (at, n, to), , if (r == 0) writes(to, (n + 4095) / 4096, pc))

void *__real_mremap(void *old, size_t n, size_t new, int flags, void *to);
void *__wrap_mremap(void *old, size_t n, size_t new, int flags, void *to)
{
    void *p = __real_mremap(old, n, new, flags, to);
    race_io_remapped(p, old, n, new);
    return p;
}
