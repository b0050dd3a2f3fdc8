/* A mutex unlocked by another goroutine than the one that locked it orders the unlocker's past, not the locker's. */
// race-expect: WARNING: DATA RACE
// race-expect: (racy|main)\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_mutex mu;
static void racy(void) { go_mutex_lock(&mu); x = 1; step(1); }
static void unlocker(void) { await(1); go_mutex_unlock(&mu); step(2); }

int main(void)
{
    go(racy);
    go(unlocker);
    await(2);
    go_mutex_lock(&mu);
    x = 2;
    go_mutex_unlock(&mu);
    return 0;
}
