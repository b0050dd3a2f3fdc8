/* Seeing that a channel is not empty orders nothing. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static void racy(go_chan(int) c) { x = 1; go_send(c, 1); step(1); }

int main(void)
{
    go_chan(int) c = go_make_chan(int, 1);
    go(racy, c);
    await(1);
    if (go_len(c) == 1)
        x = 2;
    return 0;
}
