/* Twelve goroutines send, in no order among themselves; the close waits for all but one of them. */
// race-expect: WARNING: DATA RACE
// race-expect: straggler\(\)
// absent: punctual\(\)
// race-expect: Hint: a send that comes after the close panics
// race-expect: Found 1 data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_waitgroup done;
static void punctual(go_chan(int) c, int n)
{
    for (int i = 0; i < n; i++)
        go_send(c, i);
    go_waitgroup_done(&done);
}
static void straggler(go_chan(int) c) { go_send(c, 1); step(1); }

int main(void)
{
    go_chan(int) c = go_make_chan(int, 1000);
    go_waitgroup_add(&done, 11);
    for (int i = 0; i < 11; i++) {
        go(punctual, c, 1 + i % 3);
        if (i == 5)
            go(straggler, c);
    }
    go_waitgroup_wait(&done);
    await(1);
    go_close(c);
    return 0;
}
