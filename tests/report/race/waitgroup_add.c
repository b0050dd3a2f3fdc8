/* Adding to a wait group orders nothing. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_waitgroup wg;
static void racy(void) { x = 1; go_waitgroup_add(&wg, 1); step(1); }

int main(void)
{
    go(racy);
    await(1);
    go_waitgroup_add(&wg, 1);
    x = 2;
    return 0;
}
