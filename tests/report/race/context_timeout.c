/* A deadline orders nothing but what came before the context. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static void racy(void) { x = 1; step(1); }

int main(void)
{
    go_context *c = go_context_with_timeout(go_context_background(), 1000000);
    go(racy);
    await(1);
    go_recv(go_context_done(c), NULL);
    x = 2;
    return 0;
}
