/* The clean twin of race/rwmutex_wait.c. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_rwmutex rw;
static void clean(void) { step(1); go_rwmutex_rlock(&rw); sink = x; go_rwmutex_runlock(&rw); }

int main(void)
{
    go_rwmutex_lock(&rw);
    go(clean);
    await(1);
    usleep(20000);
    x++;
    go_rwmutex_unlock(&rw);
    go_sleep(20 * GO_MILLISECOND);
    go_rwmutex_lock(&rw);
    x++;
    go_rwmutex_unlock(&rw);
    return 0;
}
