/* Two mutexes do not order one another. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_mutex m, n;
static void racy(void) { go_mutex_lock(&m); x++; go_mutex_unlock(&m); step(1); }

int main(void)
{
    go(racy);
    await(1);
    go_mutex_lock(&n);
    x++;
    go_mutex_unlock(&n);
    return 0;
}
