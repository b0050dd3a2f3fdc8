/* A write to one connection is not ordered before a read of another. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_conn *r[2], *w[2];
static void racy(void) { x = 1; go_write(w[0], "a", 1); step(1); }

int main(void)
{
    char b;
    go_pipe(&r[0], &w[0]);
    go_pipe(&r[1], &w[1]);
    go_write(w[1], "a", 1);
    go(racy);
    await(1);
    go_read(r[1], &b, 1);
    x = 2;
    return 0;
}
