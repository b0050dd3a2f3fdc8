/* A compare-exchange that fails is a load of its second order: relaxed orders nothing. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static _Atomic(int) a;
static void racy(void) { x = 1; atomic_store_explicit(&a, 1, memory_order_release); step(1); }

int main(void)
{
    int expected = 5;
    go(racy);
    await(1);
    if (!atomic_compare_exchange_strong_explicit(&a, &expected, 6, memory_order_seq_cst, memory_order_relaxed))
        x = 2;
    return 0;
}
