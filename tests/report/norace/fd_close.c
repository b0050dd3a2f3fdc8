/* The clean twin of race/fd_close.c: the thread is waited for. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static int fds[2];
static void *clean(void *p) { write(fds[1], "x", 1); step(1); return p; }

int main(void)
{
    pthread_t t;
    pipe(fds);
    pthread_create(&t, NULL, clean, NULL);
    await(1);
    pthread_join(t, NULL);
    close(fds[1]);
    close(fds[0]);
    return 0;
}
