/* The clean twin of race/rwmutex_readers.c: a writer's unlock happens before a later rlock. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_rwmutex rw;
static void clean(void) { go_rwmutex_lock(&rw); x++; go_rwmutex_unlock(&rw); step(1); }

int main(void)
{
    go(clean);
    await(1);
    go_rwmutex_rlock(&rw);
    sink = x;
    go_rwmutex_runlock(&rw);
    return 0;
}
