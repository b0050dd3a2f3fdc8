/* Who does not wait for the group is not ordered after its functions. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static int racy(void *arg) { (void)arg; x = 1; step(1); return 0; }

int main(void)
{
    go_errgroup g = GO_ERRGROUP_INIT;
    go_errgroup_go(&g, racy, NULL);
    await(1);
    x = 2;
    return 0;
}
