/* The clean twin of race/close.c. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static void clean(go_chan(int) c) { x = 1; go_close(c); }

int main(void)
{
    go_chan(int) c = go_make_chan(int, 0);
    go(clean, c);
    go_recv(c, NULL);
    x = 2;
    return 0;
}
