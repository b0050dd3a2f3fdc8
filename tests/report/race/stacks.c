/* A pointer into the stack of a goroutine that lives is shared memory. */
// race-expect: WARNING: DATA RACE
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static void racy(int *p) { *p = 1; step(1); }
static void owner(void) { int local = 0; go(racy, &local); await(1); local = 2; step(2); sink = local; }

int main(void)
{
    go(owner);
    await(2);
    return 0;
}
