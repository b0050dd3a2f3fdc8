/* The clean twin of race/atomic_cas_failed.c: acquire does. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static _Atomic(int) a;
static void clean(void) { x = 1; atomic_store_explicit(&a, 1, memory_order_release); step(1); }

int main(void)
{
    int expected = 5;
    go(clean);
    await(1);
    if (!(!atomic_compare_exchange_strong_explicit(&a, &expected, 6, memory_order_seq_cst, memory_order_acquire)))
        return 1;
    x = 2;
    return 0;
}
