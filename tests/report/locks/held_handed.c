/* A mutex that one goroutine locks and another unlocks, as Go allows: nobody knows who holds it, so no report says so. */
// race-expect: ^WARNING: DATA RACE$
// race-expect: ^Previous write
// race-expect: ^Found 1 data race\(s\)$
// absent: Goroutine 2 held|misuse|unlock of|Hint: only one side
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
#include "race_test.h"

static go_mutex m;

static void racy(void)
{
    go_mutex_lock(&m);
    step(1);
    await(2);
    x = 1;
    step(3);
}

int main(void)
{
    go(racy);
    await(1);
    go_mutex_unlock(&m);
    step(2);
    await(3);
    x = 2;
    return 0;
}
