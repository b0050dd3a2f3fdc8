/* That a goroutine has ended orders nothing. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static void racy(void) { x = 1; }

int main(void)
{
    go(racy);
    while (go_num_goroutine() > 1)
        go_yield();
    x = 2;
    return 0;
}
