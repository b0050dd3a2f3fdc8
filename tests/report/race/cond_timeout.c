/* A wait that timed out orders nothing. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_cond c;
static go_mutex m;
static void racy(void) { x = 1; step(1); }

int main(void)
{
    go(racy);
    await(1);
    go_mutex_lock(&m);
    if (!go_cond_wait_timeout(&c, &m, GO_MILLISECOND))
        x = 2;
    go_mutex_unlock(&m);
    return 0;
}
