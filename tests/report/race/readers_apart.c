/* One of 600 readers reads once more when it has been waited for. */
// race-expect: WARNING: DATA RACE
// race-expect: Write at
// race-expect: main\(\)
// race-expect: Previous read at
// race-expect: late\(\)
// race-expect: after_done\(\)
// race-expect: Found 1 data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "readers_apart.h"

static __attribute__((noinline)) void late(void) { sink = look(); }

static void after_done(int i, int round)
{
    if (i == 411 && round == ROUNDS - 2)
        late();
}
