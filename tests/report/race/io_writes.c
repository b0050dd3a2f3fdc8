/* What comes after a write is not ordered before the next write of the connection. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_conn *r, *w;
static void racy(void) { go_write(w, "a", 1); x = 1; step(1); }

int main(void)
{
    go_pipe(&r, &w);
    go(racy);
    await(1);
    go_write(w, "b", 1);
    x = 2;
    return 0;
}
