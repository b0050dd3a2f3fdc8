/* What comes after a receive that select chose is not ordered before the completion of the unbuffered send. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static void racy(go_chan(int) c, go_chan(int) d) { go_select(go_case_recv(d, NULL), go_case_recv(c, NULL)); x = 1; step(1); }

int main(void)
{
    go_chan(int) c = go_make_chan(int, 0), d = go_make_chan(int, 0);
    go(racy, c, d);
    go_send(c, 1);
    await(1);
    x = 2;
    return 0;
}
