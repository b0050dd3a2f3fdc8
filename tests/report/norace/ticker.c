/* The clean twin of race/ticker.c: that, and what earlier receivers did before they received. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static void clean(go_ticker *t, go_send_chan(int) done)
{
    go_recv(go_ticker_chan(t), NULL);
    x++;
    go_send(done, 1);
}

int main(void)
{
    x = 2;
    go_ticker *t = go_ticker_new(1000000);
    go_chan(int) done = go_make_chan(int, 0);
    go(clean, t, done);
    go_recv(done, NULL);
    x++;
    go_ticker_reset(t, 500000);
    go(clean, t, done);
    go_recv(done, NULL);
    go_ticker_free(t);
    return 0;
}
