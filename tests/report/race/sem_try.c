/* A try_acquire that fails, or an acquire that timed out, orders nothing. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_sem s;
static void racy(void) { x = 1; step(1); }

int main(void)
{
    go(racy);
    await(1);
    if (!go_sem_try_acquire(&s, 1) && !go_sem_acquire_timeout(&s, 1, GO_MILLISECOND))
        x = 2;
    return 0;
}
