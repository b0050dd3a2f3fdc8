/* A close and a send that nothing orders: the send may come second, and panic. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Hint: a send that comes after the close panics
// race-expect: Found 1 data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static void racy(go_chan(int) c) { go_send(c, 1); step(1); }

int main(void)
{
    go_chan(int) c = go_make_chan(int, 1);
    go(racy, c);
    await(1);
    go_close(c);
    return 0;
}
