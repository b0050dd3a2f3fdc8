/* What comes after a broadcast is not ordered before the returns of the waits that it ends. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|waiter\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_cond c;
static go_mutex m;
static go_waitgroup ended;
static int waiting;   /* (m) */
static void waiter(void *arg)
{
    (void)arg;
    go_mutex_lock(&m);
    waiting++;
    go_cond_wait(&c, &m);
    go_mutex_unlock(&m);
    await(1);
    (void)*(volatile int *)&x;
}
static void all_wait(void)
{
    for (bool all = false; !all;) {
        go_mutex_lock(&m);
        all = waiting == 3;
        go_mutex_unlock(&m);
        go_yield();
    }
}
static void racy(void) { all_wait(); go_cond_broadcast(&c); x = 1; step(1); }

int main(void)
{
    for (int i = 0; i < 3; i++)
        go_waitgroup_go(&ended, waiter, NULL);
    go(racy);
    go_waitgroup_wait(&ended);
    await(1);
    return 0;
}
