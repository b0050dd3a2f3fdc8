/* Nor before an err that does not report it yet. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static void racy(go_context *c) { if (go_context_err(c) == 0) { x = 1; step(1); } }

int main(void)
{
    go_context *c = go_context_with_cancel(go_context_background());
    go(racy, c);
    await(1);
    go_context_cancel(c);
    x = 2;
    return 0;
}
