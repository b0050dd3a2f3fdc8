/* The clean twin of race/release_sequence.c. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static atomic_int ready;
static void clean(void) { x = 1; atomic_store_explicit(&ready, 1, memory_order_release); step(1); }
static void other(void) { await(1); atomic_fetch_add_explicit(&ready, 1, memory_order_relaxed); step(2); }

int main(void)
{
    go(clean);
    go(other);
    await(2);
    while (atomic_load_explicit(&ready, memory_order_acquire) != 2)
        go_yield();
    x = 2;
    return 0;
}
