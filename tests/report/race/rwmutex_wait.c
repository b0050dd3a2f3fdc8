/* A reader that waited for a writer is ordered after it, but not after what the writer does when it has unlocked. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_rwmutex rw;
static void racy(void) { step(1); go_rwmutex_rlock(&rw); sink = x; go_rwmutex_runlock(&rw); step(2); }

int main(void)
{
    go_rwmutex_lock(&rw);
    go(racy);
    await(1);
    usleep(20000);
    go_rwmutex_unlock(&rw);
    x++;
    await(2);
    return 0;
}
