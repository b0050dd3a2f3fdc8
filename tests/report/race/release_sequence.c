/* A read-modify-write carries a release on; a relaxed store by another goroutine ends it. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static atomic_int ready;
static void racy(void) { x = 1; atomic_store_explicit(&ready, 1, memory_order_release); step(1); }
static void other(void) { await(1); atomic_store_explicit(&ready, 2, memory_order_relaxed); step(2); }

int main(void)
{
    go(racy);
    go(other);
    await(2);
    while (atomic_load_explicit(&ready, memory_order_acquire) != 2)
        go_yield();
    x = 2;
    return 0;
}
