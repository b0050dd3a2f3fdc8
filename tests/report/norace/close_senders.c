/* Twelve goroutines send, in no order among themselves; the close waits for all. */
// absent: DATA RACE
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

int main(void)
{
    for (int round = 0; round < 20; round++) {
        go_chan(int) c = go_make_chan(int, 1000);
        go_waitgroup_add(&done, 12);
        for (int i = 0; i < 12; i++)
            go(punctual, c, 1 + i % 3);
        go_waitgroup_wait(&done);
        go_close(c);
        go_chan_free(c);
    }
    return 0;
}
