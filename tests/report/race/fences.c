/* Fences order through relaxed accesses; one side alone does not. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static atomic_int ready;
static void racy(void) { x = 1; atomic_store_explicit(&ready, 1, memory_order_relaxed); atomic_thread_fence(memory_order_release); step(1); }

int main(void)
{
    go(racy);
    await(1);
    while (!atomic_load_explicit(&ready, memory_order_relaxed))
        go_yield();
    atomic_thread_fence(memory_order_acquire);
    x = 2;
    return 0;
}
