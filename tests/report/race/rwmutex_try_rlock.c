/* A try_rlock that fails orders nothing. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_rwmutex rw;
static void racy(void) { x = 1; go_rwmutex_lock(&rw); step(1); await(2); go_rwmutex_unlock(&rw); step(3); }

int main(void)
{
    go(racy);
    await(1);
    if (!go_rwmutex_try_rlock(&rw))
        x = 2;
    step(2);
    await(3);
    return 0;
}
