/* The clean twin of race/try_send.c: one that found room does. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static void clean(go_chan(int) c) { x = 1; sink = go_try_send(c, 1); step(1); }

int main(void)
{
    go_chan(int) c = go_make_chan(int, 1);
    go(clean, c);
    await(1);
    go_recv(c, NULL);
    x = 2;
    return 0;
}
