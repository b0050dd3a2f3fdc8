/* The clean twin of race/mutex_try_lock.c: one that succeeds does. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_mutex m;
static void clean(void) { x = 1; go_mutex_lock(&m); go_mutex_unlock(&m); step(1); }

int main(void)
{
    go(clean);
    await(1);
    if (!(go_mutex_try_lock(&m)))
        return 1;
    x = 2;
    return 0;
}
