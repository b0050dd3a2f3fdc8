/* Of a crowd that is let in by a closed channel and counted out by a wait group, one writes after it has given its read lock back, another after done. */
// race-expect: WARNING: DATA RACE
// race-expect: after_read\(\)|main\(\)
// race-expect: WARNING: DATA RACE
// race-expect: after_done\(\)|main\(\)
// race-expect: Found 2 data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "crowd.h"

static void after_read(int i, int r)
{
    if (i == 77 && r == ROUNDS - 1)
        read_by[i] = r;
}

static void after_done(int i, int r)
{
    if (i == 133 && r == ROUNDS - 1) {
        v[i] = r;
        step_on();
    }
}

static void all_over(void) { await(CROWD * ROUNDS + 1); }
