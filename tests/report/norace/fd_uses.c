/* The clean twin of race/fd_uses.c: all are waited for. Asking whether a descriptor is open, or waiting for events of one, is no use of it. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
#include "fd_uses.inc"
#include <poll.h>

static go_waitgroup wg;
static void used(void) { go_waitgroup_done(&wg); }

static void asks(void)
{
    struct pollfd p = {fd, POLLIN, 0};
    poll(&p, 1, 0);
    fcntl(fd, F_SETFD, fcntl(fd, F_GETFD) | FD_CLOEXEC);
    fcntl(fd, F_GETFL);
    step(1);
}

int main(void)
{
    start();
    go_waitgroup_add(&wg, NUSES);
    for (int i = 0; i < NUSES; i++)
        go(uses[i]);
    go_waitgroup_wait(&wg);
    go(asks);
    await(1);
    close(fd);
    return 0;
}
