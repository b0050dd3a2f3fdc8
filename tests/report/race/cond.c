/* What comes after the signal is not ordered before the return of the wait. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_cond c;
static go_mutex m;
static void racy(void)
{
    await(1);
    go_mutex_lock(&m);   /* now it waits */
    go_mutex_unlock(&m);
    go_cond_signal(&c);
    x = 1;
    step(2);
}

int main(void)
{
    go(racy);
    go_mutex_lock(&m);
    step(1);
    go_cond_wait(&c, &m);
    await(2);
    sink = x;
    go_mutex_unlock(&m);
    return 0;
}
