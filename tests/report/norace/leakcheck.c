/* The clean twin of race/leakcheck.c: a wait group does. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"
#include <gort/leak.h>

static go_waitgroup wg;
static void clean(void) { x = 1; go_waitgroup_done(&wg); }

int main(void)
{
    go_waitgroup_add(&wg, 1);
    go(clean);
    go_waitgroup_wait(&wg);
    if (!(leakcheck() == 0))
        return 1;
    x = 2;
    return 0;
}
