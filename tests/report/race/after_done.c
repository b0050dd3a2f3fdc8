/* What a goroutine does after it said that it was done is known to nobody, however many others are started, and waited for, in between. */
// race-expect: WARNING: DATA RACE
// race-expect: (racy|main)\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_waitgroup wg;
static void racy(void) { go_waitgroup_done(&wg); x = 1; step(1); }
static void other(void) { go_waitgroup_done(&wg); }

int main(void)
{
    go_waitgroup_add(&wg, 1);
    go(racy);
    go_waitgroup_wait(&wg);
    await(1);
    for (int i = 0; i < 300; i++) {
        go_waitgroup_add(&wg, 1);
        go(other);
        go_waitgroup_wait(&wg);
    }
    x = 2;
    return 0;
}
