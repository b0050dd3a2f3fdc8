/* The clean twin of race/waitgroup_go.c: who waits is. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_waitgroup wg;
static void clean(void *arg) { (void)arg; x = 1; }

int main(void)
{
    go_waitgroup_go(&wg, clean, NULL);
    go_waitgroup_wait(&wg);
    x = 2;
    return 0;
}
