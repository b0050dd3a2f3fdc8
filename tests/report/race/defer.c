/* A deferred function that runs after the deferred done() is not ordered before the return of the wait. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_waitgroup wg;
static void write_x(void *arg) { (void)arg; x = 1; step(1); }
static void done(void *arg) { (void)arg; go_waitgroup_done(&wg); }
static void racy(void) { go_defer(write_x, NULL); go_defer(done, NULL); }

int main(void)
{
    go_waitgroup_add(&wg, 1);
    go(racy);
    go_waitgroup_wait(&wg);
    await(1);
    x = 2;
    return 0;
}
