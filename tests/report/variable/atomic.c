/* Go's words for atomic accesses. */
// race-expect: ^Atomic write at 0x[0-9a-f]+ by main goroutine:$
// race-expect: ^Previous write at 0x[0-9a-f]+ by goroutine 2:$
// race-expect: ^Write at 0x[0-9a-f]+ by main goroutine:$
// race-expect: ^Previous atomic read at 0x[0-9a-f]+ by goroutine 2:$
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
#include "race_test.h"

_Atomic(int) a, b;
HIDDEN void *plain(void *p) { return p; }

static void racy(void)
{
    *(int *)plain(&a) = 1;
    sink = atomic_load_explicit(&b, memory_order_relaxed);
    step(1);
}

int main(void)
{
    go(racy);
    await(1);
    atomic_store_explicit(&a, 2, memory_order_relaxed);
    *(int *)plain(&b) = 2;
    return 0;
}
