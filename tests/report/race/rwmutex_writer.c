/* A reader that has left is not ordered before a writer that takes another rwmutex. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_rwmutex rw, other;
static void racy(void) { go_rwmutex_rlock(&rw); sink = x; go_rwmutex_runlock(&rw); step(1); }

int main(void)
{
    go(racy);
    await(1);
    go_rwmutex_lock(&other);
    x++;
    go_rwmutex_unlock(&other);
    return 0;
}
