/* With room for two, the first receive is before the third send, not before the second. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static void racy(go_recv_chan(int) c) { x = 1; go_recv(c, NULL); step(1); }

int main(void)
{
    go_chan(int) c = go_make_chan(int, 2);
    go(racy, c);
    go_send(c, 1);
    await(1);
    go_send(c, 2);
    x = 2;
    return 0;
}
