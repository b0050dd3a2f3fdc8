/* A release that a waiting acquire got permits from does not order what comes after it. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_sem s;
static void racy(void) { usleep(20000); go_sem_release(&s, 1); x = 1; step(1); }

int main(void)
{
    go(racy);
    go_sem_acquire(&s, 1);
    await(1);
    sink = x;
    return 0;
}
