/* Threads are checked as goroutines are. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static void *racy(void *p) { x = 1; step(1); return p; }

int main(void)
{
    pthread_t t;
    pthread_create(&t, NULL, racy, NULL);
    await(1);
    x = 2;
    pthread_join(t, NULL);
    return 0;
}
