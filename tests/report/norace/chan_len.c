/* The clean twin of race/chan_len.c: receiving from it does. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static void clean(go_chan(int) c) { x = 1; go_send(c, 1); step(1); }

int main(void)
{
    go_chan(int) c = go_make_chan(int, 1);
    go(clean, c);
    await(1);
    if (!(go_len(c) == 1 && go_recv(c, NULL)))
        return 1;
    x = 2;
    return 0;
}
