/* A relaxed store goes on with the release sequence that its own goroutine heads (C11). */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static atomic_int ready;
static void clean(void)
{
    x = 1;
    atomic_store_explicit(&ready, 1, memory_order_release);
    atomic_store_explicit(&ready, 2, memory_order_relaxed);
}

int main(void)
{
    go(clean);
    while (atomic_load_explicit(&ready, memory_order_acquire) != 2)
        go_yield();
    x = 2;
    return 0;
}
