/* A loop is told to end by a byte that it does not read; what was done after the byte was sent is not ordered by it. */
// race-expect: WARNING: DATA RACE
// race-expect: Global var left
// race-expect: Found 1 data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>

static int stop, epfd, left;

static void *loop(void *p)
{
    struct epoll_event ev;
    epoll_wait(epfd, &ev, 1, -1);
    await(1);
    left++;
    close(stop);
    return p;
}

int main(void)
{
    pthread_t t;
    struct epoll_event ev = {.events = EPOLLIN};
    stop = eventfd(0, 0);
    epfd = epoll_create1(0);
    epoll_ctl(epfd, EPOLL_CTL_ADD, stop, &ev);
    pthread_create(&t, NULL, loop, NULL);
    usleep(1000);
    eventfd_write(stop, 1);
    left = 1;
    step(1);
    pthread_join(t, NULL);
    return 0;
}
