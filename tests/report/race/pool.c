/* The put of one object does not order the get of another. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_pool p;
static int a, b;
static void racy(void) { x = 1; go_pool_put(&p, &a); step(1); }

int main(void)
{
    go(racy);
    await(1);
    go_pool_put(&p, &b);
    int *got = go_pool_get(&p);   /* what was put here last */
    sink = x;
    return got == &b ? 0 : 1;
}
