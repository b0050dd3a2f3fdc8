/* What comes after a cancel is not ordered before the receive from done. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static void racy(go_context *c) { go_context_cancel(c); x = 1; step(1); }

int main(void)
{
    go_context *c = go_context_with_cancel(go_context_background());
    go(racy, c);
    go_recv(go_context_done(c), NULL);
    await(1);
    x = 2;
    return 0;
}
