/* What a reader does after its runlock is not ordered before the next lock. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_rwmutex rw;
static void racy(void) { go_rwmutex_rlock(&rw); go_rwmutex_runlock(&rw); sink = x; step(1); }

int main(void)
{
    go(racy);
    await(1);
    go_rwmutex_lock(&rw);
    x = 2;
    go_rwmutex_unlock(&rw);
    return 0;
}
