/* What comes after a store is not ordered before the load that sees it. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_sync_map m;
static void racy(void) { go_sync_map_store(&m, &m, &x); x = 1; step(1); }

int main(void)
{
    void *v;
    go(racy);
    while (!go_sync_map_load(&m, &m, &v))
        usleep(100);
    await(1);
    x = 2;
    return 0;
}
