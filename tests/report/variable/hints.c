/* What is certainly wrong is said. */
// race-expect: ^Hint: one side is atomic, the other is not
// race-expect: ^Hint: a write under a read lock
// race-expect: ^Hint: nothing makes the goroutine wait
// race-expect: ^Found 3 data race\(s\)$
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
#include "race_test.h"

_Atomic(int) a;
int b, c;
static go_rwmutex rw;

static void racy(void)
{
    atomic_store_explicit(&a, 1, memory_order_relaxed);
    go_rwmutex_rlock(&rw);
    b = 1;
    go_rwmutex_runlock(&rw);
    step(1);
    await(2);
    c = 5;
    step(3);
}

HIDDEN void *plain(void *p) { return p; }

int main(void)
{
    go(racy);
    await(1);
    *(int *)plain(&a) = 2;
    go_rwmutex_rlock(&rw);
    b = 2;
    go_rwmutex_runlock(&rw);
    step(2);
    await(3);
    sink = c;
    return 0;
}
