/* What comes after a write is not ordered before the read of what was written. */
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
    char b;
    go_pipe(&r, &w);
    go(racy);
    go_read(r, &b, 1);
    await(1);
    x = 2;
    return 0;
}
