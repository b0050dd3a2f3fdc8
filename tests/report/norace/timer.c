/* The clean twin of race/timer.c: what comes before a reset is. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static void clean(go_timer *t) { x = 1; go_timer_reset(t, 1000000); }

int main(void)
{
    go_timer *t = go_timer_new(GO_HOUR);
    go(clean, t);
    go_recv(go_timer_chan(t), NULL);
    x = 2;
    go_timer_free(t);
    return 0;
}
