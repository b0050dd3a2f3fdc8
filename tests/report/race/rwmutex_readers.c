/* Two readers are not ordered by the rwmutex that they share: a write under a read lock races with another reader's. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_rwmutex rw;
static void racy(void) { go_rwmutex_rlock(&rw); x++; go_rwmutex_runlock(&rw); step(1); }

int main(void)
{
    go(racy);
    await(1);
    go_rwmutex_rlock(&rw);
    x++;
    go_rwmutex_runlock(&rw);
    return 0;
}
