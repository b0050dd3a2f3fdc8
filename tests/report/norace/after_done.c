/* The clean twin of race/after_done.c. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_waitgroup wg;
static void clean(void) { x = 1; go_waitgroup_done(&wg); step(1); }
static void other(void) { x++; go_waitgroup_done(&wg); }

int main(void)
{
    go_waitgroup_add(&wg, 1);
    go(clean);
    go_waitgroup_wait(&wg);
    await(1);
    for (int i = 0; i < 300; i++) {
        go_waitgroup_add(&wg, 1);
        go(other);
        go_waitgroup_wait(&wg);
    }
    x = 2;
    return 0;
}
