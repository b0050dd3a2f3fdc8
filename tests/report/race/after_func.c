/* The function of go_after_func runs unordered with what comes after its start. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static void racy(void *arg) { (void)arg; x = 1; step(1); }

int main(void)
{
    go_after_func(1000000, racy, NULL);
    x = 2;
    await(1);
    return 0;
}
