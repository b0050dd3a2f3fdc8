/* What comes after a reset is not ordered before the receive. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static void racy(go_timer *t) { go_timer_reset(t, 1000000); x = 1; step(1); }

int main(void)
{
    go_timer *t = go_timer_new(GO_HOUR);
    go(racy, t);
    go_recv(go_timer_chan(t), NULL);
    await(1);
    x = 2;
    return 0;
}
