/* The clean twin of race/buffered_kth.c. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static void clean(go_recv_chan(int) c) { x = 1; go_recv(c, NULL); step(1); }

int main(void)
{
    go_chan(int) c = go_make_chan(int, 2);
    go(clean, c);
    go_send(c, 1);
    await(1);
    go_send(c, 2);
    go_send(c, 3);
    x = 2;
    return 0;
}
