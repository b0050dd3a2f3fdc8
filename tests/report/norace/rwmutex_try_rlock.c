/* The clean twin of race/rwmutex_try_rlock.c: one that succeeds does. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_rwmutex rw;
static void clean(void) { x = 1; go_rwmutex_lock(&rw); go_rwmutex_unlock(&rw); step(1); }

int main(void)
{
    go(clean);
    await(1);
    if (!(go_rwmutex_try_rlock(&rw)))
        return 1;
    x = 2;
    return 0;
}
