/* The buffers that a program passes to input and output are its accesses; a file, a pipe to nowhere, or reading before the write orders nothing. */
// race-expect: WARNING: DATA RACE
// race-expect: Found 12 data race\(s\)
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
#define _GNU_SOURCE
#include "race_test.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>

static char in[12][64];
int from_file;

static void writer(void)
{
    for (int i = 0; i < 12; i++)
        in[i][0] = in[i][8] = 'a';
    from_file = 1;
    step(1);
}

int main(void)
{
    int p[2], s[2], fd = memfd_create("file", 0);
    pipe(p);
    socketpair(AF_UNIX, SOCK_DGRAM, 0, s);
    write(p[1], "0123456789", 10);
    for (int i = 0; i < 8; i++)
        send(s[1], "01234567", 8, 0);
    write(fd, "0123456789", 10);
    go(writer);
    await(1);
    read(p[0], in[0], 4);
    pread(fd, in[1], 4, 0);
    readv(p[0], &(struct iovec){in[2], 4}, 1);
    recv(s[0], in[3], 8, 0);
    recvfrom(s[0], in[4], 8, 0, NULL, NULL);
    recvmsg(s[0], &(struct msghdr){.msg_iov = &(struct iovec){in[5], 8}, .msg_iovlen = 1}, 0);
    write(p[1], in[6], 9);
    pwrite(fd, in[7], 9, 0);
    writev(p[1], &(struct iovec){in[8], 9}, 1);
    send(s[1], in[9], 9, 0);
    sendto(s[1], in[10], 9, 0, NULL, 0);
    read(fd, &sink, 1);   /* a file */
    from_file = 2;
    return 0;
}
