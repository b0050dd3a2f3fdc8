/* A use that comes after the close, which nothing orders it with. */
// race-expect: WARNING: DATA RACE
// race-expect: +Read from descriptor [0-9]+ by main goroutine:
// race-expect: Previous close of descriptor [0-9]+ by goroutine [0-9]+:
// race-expect: Found 1 data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static int fds[2];
static void racy(void) { close(fds[0]); step(1); }

int main(void)
{
    char c;
    pipe(fds);
    go(racy);
    await(1);
    read(fds[0], &c, 1);
    return 0;
}
