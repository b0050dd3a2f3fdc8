/* Freeing is a write. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static void racy(int *p) { *p = 1; step(1); }

int main(void)
{
    int *p = malloc(sizeof *p);
    go(racy, p);
    await(1);
    free(p);
    return 0;
}
