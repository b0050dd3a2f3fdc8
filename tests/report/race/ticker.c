/* A tick orders nothing but what came before the start of the ticker. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static void racy(go_ticker *t) { go_recv(go_ticker_chan(t), NULL); x = 1; step(1); }

int main(void)
{
    go_ticker *t = go_ticker_new(1000000);
    go(racy, t);
    x = 2;
    await(1);
    return 0;
}
