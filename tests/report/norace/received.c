/* The clean twin of race/received.c. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

int shared;
static void clean(go_recv_chan(int) c, go_send_chan(int) d) { go_recv(c, &shared); go_send(d, 1); }

int main(void)
{
    go_chan(int) c = go_make_chan(int, 1), d = go_make_chan(int, 0);
    go(clean, c, d);
    go_send(c, 7);
    go_recv(d, NULL);
    sink = shared;
    return 0;
}
