/* The clean twin of race/rwmutex_runlock.c: what it does before that is. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_rwmutex rw;
static void clean(void) { go_rwmutex_rlock(&rw); sink = x; go_rwmutex_runlock(&rw); step(1); }

int main(void)
{
    go(clean);
    await(1);
    go_rwmutex_lock(&rw);
    x = 2;
    go_rwmutex_unlock(&rw);
    return 0;
}
