/* The clean twin of race/close_buffered.c: the receive that finds the channel closed is. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static void clean(go_chan(int) c) { go_send(c, 1); x = 1; go_close(c); step(1); }

int main(void)
{
    go_chan(int) c = go_make_chan(int, 2);
    go(clean, c);
    await(1);
    while (go_recv(c, NULL))
        ;
    x = 2;
    return 0;
}
