/* An add that lifts the counter from zero, and a wait that nothing orders it with: the wait may come first. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Global var wg of size 16
// race-expect: Hint: the wait may come first
// race-expect: Found 1 data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_waitgroup wg;
static void racy(void) { go_waitgroup_add(&wg, 1); go_waitgroup_done(&wg); step(1); }

int main(void)
{
    go(racy);
    await(1);
    go_waitgroup_wait(&wg);
    return 0;
}
