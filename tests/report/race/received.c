/* What is received is written to the receiver's variable. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

int shared;
static void racy(go_recv_chan(int) c) { go_recv(c, &shared); step(1); }

int main(void)
{
    go_chan(int) c = go_make_chan(int, 1);
    go(racy, c);
    go_send(c, 7);
    await(1);
    sink = shared;
    return 0;
}
