/* A release of one address is not ordered before an acquire of another. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"
#include <gort/race.h>

static int a, b;
static void racy(void) { x = 1; go_race_release(&a); step(1); }

int main(void)
{
    go(racy);
    await(1);
    go_race_acquire(&b);
    x = 2;
    return 0;
}
