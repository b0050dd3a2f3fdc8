/* What a goroutine does after the once is not ordered before another's call. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_once once;
static void init(void *arg) { (void)arg; }
static void racy(void) { go_once_do(&once, init, NULL); x = 1; step(1); }

int main(void)
{
    go(racy);
    await(1);
    go_once_do(&once, init, NULL);
    sink = x;
    return 0;
}
