/* The clean twin of race/buffered_back.c. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static void clean(go_recv_chan(int) c) { x = 1; go_recv(c, NULL); step(1); }

int main(void)
{
    go_chan(int) c = go_make_chan(int, 0);
    go(clean, c);
    go_send(c, 1);
    x = 2;
    await(1);
    return 0;
}
