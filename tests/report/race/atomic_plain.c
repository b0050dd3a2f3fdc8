/* An atomic access and a plain one of the same bytes are not ordered by being atomic on one side. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static _Atomic(int) a;
static void racy(void) { atomic_store_explicit(&a, 1, memory_order_seq_cst); step(1); }

int main(void)
{
    go(racy);
    await(1);
    sink = *(volatile int *)(void *)&a;
    return 0;
}
