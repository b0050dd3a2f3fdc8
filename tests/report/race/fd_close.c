/* A close that nothing orders with another thread's use. */
// race-expect: WARNING: DATA RACE
// race-expect: +Close of descriptor [0-9]+ by main goroutine:
// race-expect: +  main\(\)
// race-expect: Previous write to descriptor [0-9]+ by thread T[0-9]+:
// race-expect: +  racy\(\)
// race-expect: Location is file descriptor [0-9]+ created by main goroutine at:
// race-expect: +  main\(\)
// race-expect: Hint: the use fails after the close
// race-expect: Found 1 data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static int fds[2];
static void *racy(void *p) { write(fds[1], "x", 1); step(1); return p; }

int main(void)
{
    pthread_t t;
    pipe(fds);
    pthread_create(&t, NULL, racy, NULL);
    await(1);
    close(fds[1]);
    pthread_join(t, NULL);
    close(fds[0]);
    return 0;
}
