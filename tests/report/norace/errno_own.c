/* Goroutines that run on one thread in turn have an errno each. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// env: GOMAXPROCS=1
// runs: 3
#include "race_test.h"

static go_waitgroup done;

static void sets_errno(int value)
{
    errno = value;
    for (int i = 0; i < 10; i++) {
        go_yield();
        if (errno != value)
            x = 1;   /* seen as a race */
    }
    errno = 0;
    go_waitgroup_done(&done);
}

int main(void)
{
    go_waitgroup_add(&done, 8);
    for (int i = 0; i < 8; i++)
        go(sets_errno, 100 + i);
    go_waitgroup_wait(&done);
    return x;
}
