/* An exit from inside the function ends the once; what comes after in that goroutine's place is not ordered. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_once once;
static void init(void *arg) { (void)arg; go_exit(); }
static void racy(void) { x = 1; step(1); go_once_do(&once, init, NULL); }

int main(void)
{
    go(racy);
    await(1);
    sink = x;
    go_sleep(10 * GO_MILLISECOND);
    go_once_do(&once, init, NULL);
    return 0;
}
