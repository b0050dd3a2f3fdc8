/* One of 64 readers is not ordered before the writer, however many others read in between. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_mutex m;
static go_mutex other;
static void racy(int i)
{
    for (int k = 0; k < i % 7; k++) {
        go_mutex_lock(&other);
        go_mutex_unlock(&other);
    }
    (void)*(volatile int *)&x;
    if (i > 0) {
        go_mutex_lock(&m);
        go_mutex_unlock(&m);
    }
    step(i + 1);
}

int main(void)
{
    for (int i = 0; i < 64; i++) {
        go(racy, i);
        await(i + 1);
    }
    go_mutex_lock(&m);
    x = 1;
    go_mutex_unlock(&m);
    return 0;
}
