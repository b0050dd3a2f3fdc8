/* A try_lock that fails orders nothing. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_mutex m;
static void racy(void) { x = 1; go_mutex_lock(&m); step(1); await(2); go_mutex_unlock(&m); step(3); }

int main(void)
{
    go(racy);
    await(1);
    if (!go_mutex_try_lock(&m))
        x = 2;
    step(2);
    await(3);
    return 0;
}
