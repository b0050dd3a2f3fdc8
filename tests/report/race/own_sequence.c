/* A relaxed store goes on with the release sequence of its own goroutine, but what was done after the release is not part of it. */
// race-expect: WARNING: DATA RACE
// race-expect: (racy|main)\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static atomic_int ready;
static void racy(void)
{
    atomic_store_explicit(&ready, 1, memory_order_release);
    x = 1;
    atomic_store_explicit(&ready, 2, memory_order_relaxed);
}

int main(void)
{
    go(racy);
    while (atomic_load_explicit(&ready, memory_order_acquire) != 2)
        go_yield();
    x = 2;
    return 0;
}
