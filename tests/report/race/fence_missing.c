/* A release fence and a relaxed store order nothing for a relaxed load without an acquire fence. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static _Atomic(int) a;
static void racy(void) { x = 1; atomic_thread_fence(memory_order_release); atomic_store_explicit(&a, 1, memory_order_relaxed); step(1); }

int main(void)
{
    go(racy);
    await(1);
    if (atomic_load_explicit(&a, memory_order_relaxed))
        x = 2;
    return 0;
}
