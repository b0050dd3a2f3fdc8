/* The clean twin of race/waitgroup_add.c: done() does, for those who wait. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_waitgroup wg;
static void clean(void) { x = 1; go_waitgroup_done(&wg); }

int main(void)
{
    go_waitgroup_add(&wg, 1);
    go(clean);
    go_waitgroup_wait(&wg);
    x = 2;
    return 0;
}
