/* Two places in a group: two functions may run at once. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static int racy(void *arg) { (void)arg; x++; return 0; }

int main(void)
{
    go_errgroup g = GO_ERRGROUP_INIT;
    go_errgroup_set_limit(&g, 2);
    go_errgroup_go(&g, racy, NULL);
    go_errgroup_go(&g, racy, NULL);
    go_errgroup_wait(&g);
    return 0;
}
