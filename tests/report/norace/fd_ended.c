/* A loop is told to end by a byte that it does not read, and closes all that it was told by. */
// expect: all done
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#define _GNU_SOURCE
#include "race_test.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>

enum { WAYS = 5 };
static int way, stop[2], epfd, left;

static void *loop(void *p)
{
    struct epoll_event ev[2];
    struct pollfd fds = {stop[0], POLLIN, 0};
    fd_set set;
    FD_ZERO(&set);
    FD_SET(stop[0], &set);
    switch (way) {
    case 0: poll(&fds, 1, -1); break;
    case 1: select(stop[0] + 1, &set, NULL, NULL, NULL); break;
    case 2: pselect(stop[0] + 1, &set, NULL, NULL, NULL, NULL); break;
    default: epoll_wait(epfd, ev, 2, -1);
    }
    left += way;
    if (stop[1] != stop[0])
        close(stop[1]);
    close(stop[0]);
    if (way >= 3)
        close(epfd);
    return p;
}

int main(void)
{
    for (way = 0; way < WAYS; way++) {
        pthread_t t;
        if (way == 0 || way == 3)
            stop[0] = stop[1] = eventfd(0, 0);
        else
            pipe(stop);
        if (way >= 3) {
            struct epoll_event ev = {.events = EPOLLIN, .data.ptr = &stop[way % 2]};
            epfd = epoll_create1(0);
            epoll_ctl(epfd, EPOLL_CTL_ADD, stop[0], &ev);
        }
        pthread_create(&t, NULL, loop, NULL);
        usleep(1000);
        left = way;
        uint64_t one = 1;
        write(stop[1], &one, sizeof one);
        pthread_join(t, NULL);
    }
    puts("all done");
    return 0;
}
