/* The clean twin of race/rwmutex_writer.c: the runlocks of all readers happen before a later lock, unlock before lock. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_rwmutex rw;
int seen[3];
static void clean(int me) { go_rwmutex_rlock(&rw); seen[me] = x; go_rwmutex_runlock(&rw); step(me); }

int main(void)
{
    go(clean, 1);
    await(1);
    go(clean, 2);
    await(2);
    go_rwmutex_lock(&rw);
    x++;
    go_rwmutex_unlock(&rw);
    go_rwmutex_lock(&rw);
    x++;
    go_rwmutex_unlock(&rw);
    return 0;
}
