/* Waiting for a time orders nothing. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static void racy(void) { x = 1; step(1); }

int main(void)
{
    go_recv_chan(int64_t) t = go_after(1000000);
    go(racy);
    await(1);
    go_recv(t, NULL);
    x = 2;
    return 0;
}
