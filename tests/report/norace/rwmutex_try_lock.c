/* The clean twin of race/rwmutex_try_lock.c: one that succeeds comes after the readers. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_rwmutex rw;
static void clean(void) { sink = x; go_rwmutex_rlock(&rw); go_rwmutex_runlock(&rw); step(1); }

int main(void)
{
    go(clean);
    await(1);
    if (!(go_rwmutex_try_lock(&rw)))
        return 1;
    x = 2;
    return 0;
}
