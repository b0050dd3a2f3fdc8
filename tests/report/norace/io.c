/* Bytes that go through a pipe, a socket or an eventfd, and events of epoll, order what precedes their writing before what follows their reading;
 * whichever functions are used, and between libc's and the runtime's. */
// expect: all done
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#define _GNU_SOURCE
#include "race_test.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { WAYS = 10 };
static int values[32], fds[2], way;
static char text[32];

static void *writer(void *p)
{
    struct iovec v[2] = {{"a", 1}, {"b", 1}};
    struct msghdr msg = {.msg_iov = v, .msg_iovlen = 1};
    struct mmsghdr many = {.msg_hdr = msg};
    values[way] = 1;
    switch (way) {
    case 0: write(fds[1], "x", 1); break;
    case 1: writev(fds[1], v, 2); break;
    case 2: send(fds[1], "x", 1, 0); break;
    case 3: sendto(fds[1], "x", 1, 0, NULL, 0); break;
    case 4: sendmsg(fds[1], &msg, 0); break;
    case 5: sendmmsg(fds[1], &many, 1, 0); break;
    case 6: dprintf(fds[1], "%d\n", 7); break;
    case 7: { FILE *f = fdopen(dup(fds[1]), "w"); fputs("line\n", f); fclose(f); break; }
    case 8: shutdown(fds[1], SHUT_WR); break;
    default: close(fds[1]);
    }
    return p;
}

static void reader(void)
{
    char buf[16];
    struct iovec v[2] = {{buf, 1}, {buf + 1, 1}};
    struct msghdr msg = {.msg_iov = v, .msg_iovlen = 1};
    struct mmsghdr many = {.msg_hdr = msg};
    struct pollfd p = {fds[0], POLLIN, 0};
    fd_set set;
    FD_ZERO(&set);
    FD_SET(fds[0], &set);
    switch (way) {
    case 0: poll(&p, 1, -1); recv(fds[0], buf, 1, 0); break;
    case 1: select(fds[0] + 1, &set, NULL, NULL, NULL); readv(fds[0], v, 2); break;
    case 2: recvfrom(fds[0], buf, 1, 0, NULL, NULL); break;
    case 3: recvmsg(fds[0], &msg, 0); break;
    case 4: recvmmsg(fds[0], &many, 1, 0, NULL); break;
    case 6: case 7: { FILE *f = fdopen(dup(fds[0]), "r"); fgets(text, sizeof text, f); fclose(f); break; }
    default: read(fds[0], buf, 1);
    }
    values[way]++;
}

static void sockets(void)
{
    for (way = 0; way < WAYS; way++) {
        pthread_t t;
        if (way == 1 || way == 6)
            pipe(fds);
        else
            socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
        pthread_create(&t, NULL, writer, NULL);
        reader();
        pthread_join(t, NULL);
    }
}

static int efd, epfd;
static struct task { int n; } *task;
static void *worker(void *p)
{
    struct epoll_event ev;
    eventfd_t n;
    epoll_wait(epfd, &ev, 1, -1);
    struct task *mine = ev.data.ptr;   /* known by the event alone */
    mine->n++;
    eventfd_read(efd, &n);
    sink = x + mine->n;
    free(mine);
    return p;
}

static void events(void)
{
    pthread_t t;
    efd = eventfd(0, 0);
    epfd = epoll_create1(0);
    pthread_create(&t, NULL, worker, NULL);
    task = malloc(sizeof *task);
    task->n = 1;
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = task};
    epoll_ctl(epfd, EPOLL_CTL_ADD, efd, &ev);
    x = 1;
    eventfd_write(efd, 1);
    pthread_join(t, NULL);
}

/* A connection whose one end is a goroutine's and the other a thread's. */
static uint16_t port;
static int told;
static void *client(void *p)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    char c;
    told = 1;
    connect(fd, (struct sockaddr *)&to, sizeof to);
    read(fd, &c, 1);
    told++;
    write(fd, "z", 1);
    close(fd);
    return p;
}

static void connection(void)
{
    pthread_t t;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    int l = socket(AF_INET, SOCK_STREAM, 0);
    bind(l, (struct sockaddr *)&at, sizeof at);
    listen(l, 5);
    getsockname(l, (struct sockaddr *)&at, &n);
    port = ntohs(at.sin_port);
    pthread_create(&t, NULL, client, NULL);
    int fd = accept(l, (struct sockaddr *)&at, &n);
    told++;
    write(fd, "y", 1);
    char c;
    read(fd, &c, 1);
    told++;
    pthread_join(t, NULL);
    close(fd);
    close(l);
}

/* A table by descriptor: its number is used again, by another thread, only after it was closed. */
static struct { int uses; } table[1024];
static void *opens(void *p)
{
    for (int i = 0; i < 2000; i++) {
        int fd = i % 2 ? open("/dev/null", O_RDONLY) : dup(0);
        if (fd < 0 || fd >= 1024)
            abort();
        table[fd].uses++;
        if (i % 3)
            close(fd);
        else
            fclose(fdopen(fd, "r"));
    }
    return p;
}

/* Memory that is mapped again, buffers that were another thread's. */
static void *maps(void *p)
{
    for (int i = 0; i < 20; i++) {
        char *m = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        for (int k = 0; k < 1 << 16; k += 64)
            m[k] = 1;
        munmap(m, 1 << 16);
    }
    return p;
}

int main(void)
{
    sockets();
    events();
    connection();
    pthread_t t[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&t[i], NULL, opens, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
    for (int i = 0; i < 2; i++)
        pthread_create(&t[i], NULL, maps, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
    puts("all done");
    return 0;
}
