/* The clean twin of race/atomic_plain.c: atomic on both sides. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static _Atomic(int) a;
static void clean(void) { atomic_store_explicit(&a, 1, memory_order_relaxed); step(1); }

int main(void)
{
    go(clean);
    await(1);
    sink = atomic_load_explicit(&a, memory_order_relaxed);
    return 0;
}
