/* Where a goroutine's history of locks does not reach back, no lock is claimed, and none is denied. */
// race-expect: ^WARNING: DATA RACE$
// race-expect: ^Main goroutine held no lock$
// race-expect: ^Found 1 data race\(s\)$
// absent: Goroutine 2 held|Hint: only one side
// race-status: 66
// env: GORACE=atexit_sleep_ms=0 history_size=0
#include "race_test.h"

static go_mutex a, b;
int own;

static void racy(void)
{
    go_mutex_lock(&a);
    x = 1;
    go_mutex_unlock(&a);
    for (int i = 0; i < 3000; i++) {
        go_mutex_lock(&b);
        own++;
        go_mutex_unlock(&b);
    }
    step(1);
}

int main(void)
{
    go(racy);
    await(1);
    x = 2;
    return 0;
}
