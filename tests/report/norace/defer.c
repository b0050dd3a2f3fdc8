/* The clean twin of race/defer.c: deferred functions run last in, first out: before it. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_waitgroup wg;
static void write_x(void *arg) { (void)arg; x = 1; step(1); }
static void done(void *arg) { (void)arg; go_waitgroup_done(&wg); }
static void clean(void) { go_defer(done, NULL); go_defer(write_x, NULL); }

int main(void)
{
    go_waitgroup_add(&wg, 1);
    go(clean);
    go_waitgroup_wait(&wg);
    await(1);
    x = 2;
    return 0;
}
