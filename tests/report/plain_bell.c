/* See plain_bell.h. */
#define _GNU_SOURCE
#include "plain_bell.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

struct bell {
    enum bell_kind kind;
    int in, out, epoll;
    struct sockaddr_in at;
};

static void check(long ok)
{
    if (ok < 0)
        abort();
}

struct bell *bell_new(enum bell_kind kind)
{
    struct bell *b = malloc(sizeof *b);
    int fds[2] = {-1, -1};
    b->kind = kind;
    b->epoll = -1;
    b->at = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    switch (kind) {
    case BELL_EVENTFD:
        check(b->epoll = epoll_create1(0));
        check(fds[0] = fds[1] = eventfd(0, 0));
        check(epoll_ctl(b->epoll, EPOLL_CTL_ADD, fds[0], &(struct epoll_event){.events = EPOLLIN, .data.ptr = b}));
        break;
    case BELL_COUNT:
        check(fds[0] = fds[1] = eventfd(0, 0));
        break;
    case BELL_PIPE:
    case BELL_VECTOR:
        check(pipe(fds));
        break;
    case BELL_SOCKET:
    case BELL_ADDRESSED:
    case BELL_MESSAGE:
        check(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds));
        break;
    case BELL_CONNECTION:
        check(fds[0] = socket(AF_INET, SOCK_STREAM, 0));
        check(bind(fds[0], (struct sockaddr *)&b->at, sizeof b->at));
        check(listen(fds[0], 1));
        check(getsockname(fds[0], (struct sockaddr *)&b->at, &(socklen_t){sizeof b->at}));
        check(fds[1] = socket(AF_INET, SOCK_STREAM, 0));
        break;
    }
    b->in = fds[0];
    b->out = fds[1];
    return b;
}

void bell_ring(struct bell *b)
{
    char byte = 'r';
    struct iovec v = {&byte, 1};
    switch (b->kind) {
    case BELL_EVENTFD:    check(write(b->out, &(uint64_t){1}, 8)); break;
    case BELL_COUNT:      check(eventfd_write(b->out, 1)); break;
    case BELL_PIPE:       check(write(b->out, &byte, 1)); break;
    case BELL_VECTOR:     check(writev(b->out, &v, 1)); break;
    case BELL_SOCKET:     check(send(b->out, &byte, 1, 0)); break;
    case BELL_ADDRESSED:  check(sendto(b->out, &byte, 1, 0, NULL, 0)); break;
    case BELL_MESSAGE:    check(sendmsg(b->out, &(struct msghdr){.msg_iov = &v, .msg_iovlen = 1}, 0)); break;
    case BELL_CONNECTION: check(connect(b->out, (struct sockaddr *)&b->at, sizeof b->at)); break;
    }
}

void bell_wait(struct bell *b)
{
    static volatile size_t most = 1;   /* not known to the compiler: it lets the call be checked */
    char byte;
    uint64_t n;
    struct iovec v = {&byte, 1};
    struct epoll_event e;
    switch (b->kind) {
    case BELL_EVENTFD:
        check(epoll_wait(b->epoll, &e, 1, -1));
        check(read(b->in, &n, 8));
        break;
    case BELL_PIPE:
        check(poll(&(struct pollfd){.fd = b->in, .events = POLLIN}, 1, -1));
        check(read(b->in, &byte, most));
        break;
    case BELL_COUNT:      check(eventfd_read(b->in, &n)); break;
    case BELL_VECTOR:     check(readv(b->in, &v, 1)); break;
    case BELL_SOCKET:     check(recv(b->in, &byte, 1, 0)); break;
    case BELL_ADDRESSED:  check(recvfrom(b->in, &byte, 1, 0, NULL, NULL)); break;
    case BELL_MESSAGE:    check(recvmsg(b->in, &(struct msghdr){.msg_iov = &v, .msg_iovlen = 1}, 0)); break;
    case BELL_CONNECTION: {
        int fd = accept(b->in, NULL, NULL);
        check(fd);
        close(fd);
    }
    }
}

void bell_free(struct bell *b)
{
    close(b->in);
    if (b->out != b->in)
        close(b->out);
    if (b->epoll >= 0)
        close(b->epoll);
    free(b);
}

void bell_ready(int fd)
{
    static volatile nfds_t all = 1;
    struct pollfd p[1] = {{.fd = fd, .events = POLLIN}};
    check(poll(p, all, -1));
}

void bell_send(int fd)
{
    check(write(fd, "s", 1));
}

void *bell_map(size_t n)
{
    void *at = (void *)0x5a0000000000;
    if (mmap(at, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != at)
        abort();
    return at;
}

void bell_unmap(void *p, size_t n)
{
    check(munmap(p, n));
}
