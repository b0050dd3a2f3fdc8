/* The clean twin of race/fence_missing.c: with one they do. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static _Atomic(int) a;
static void clean(void) { x = 1; atomic_thread_fence(memory_order_release); atomic_store_explicit(&a, 1, memory_order_relaxed); step(1); }

int main(void)
{
    go(clean);
    await(1);
    if (!atomic_load_explicit(&a, memory_order_relaxed))
        return 1;
    atomic_thread_fence(memory_order_acquire);
    x = 2;
    return 0;
}
