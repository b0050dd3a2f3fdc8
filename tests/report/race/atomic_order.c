/* A relaxed store publishes nothing. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static atomic_int ready;
static void racy(void) { x = 1; atomic_store_explicit(&ready, 1, memory_order_relaxed); }

int main(void)
{
    go(racy);
    while (!atomic_load_explicit(&ready, memory_order_acquire))
        go_yield();
    x = 2;
    return 0;
}
