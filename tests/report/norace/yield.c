/* The clean twin of race/yield.c: a channel does. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static void clean(go_chan(int) c) { x = 1; go_yield(); go_send(c, 1); }

int main(void)
{
    go_chan(int) c = go_make_chan(int, 1);
    go(clean, c);
    go_recv(c, NULL);
    go_yield();
    x = 2;
    return 0;
}
