/* The clean twin of race/mutex_other.c: whoever unlocks, what was done before an earlier unlock happened before every later lock. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_mutex mu;
static void first(void) { go_mutex_lock(&mu); x = 1; go_mutex_unlock(&mu); step(1); }
static void locker(void) { await(1); go_mutex_lock(&mu); step(2); }
static void unlocker(void) { await(2); go_mutex_unlock(&mu); step(3); }

int main(void)
{
    go(first);
    go(locker);
    go(unlocker);
    await(3);
    go_mutex_lock(&mu);
    x = 2;
    go_mutex_unlock(&mu);
    return 0;
}
