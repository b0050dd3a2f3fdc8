/* A WaitGroup that counts again before the wait of the last round has returned panics in that wait. On one P the waiter can't run in between. */
// expect: ^panic: sync: WaitGroup is reused before previous Wait has returned$
// expect: ^goroutine [0-9]+ \[running\]:$
// expect: ^waits\(\)$
// expect: ^created by reuses in goroutine [0-9]+$
// status: 2
// env: GOMAXPROCS=1
#include <gort.h>

static go_waitgroup wg;

static void waits(void)
{
    go_waitgroup_wait(&wg);
}

static void reuses(void)
{
    go_waitgroup_add(&wg, 1);
    go(waits);
    go_sleep(5 * GO_MILLISECOND);
    go_waitgroup_done(&wg);
    go_waitgroup_add(&wg, 1);
    go_yield();
}

int main(void)
{
    go(reuses);
    go_sleep(GO_SECOND);
    return 0;
}
