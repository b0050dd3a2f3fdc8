/* Two closes that nothing orders: the second may hit another's. */
// race-expect: WARNING: DATA RACE
// race-expect: +Close of descriptor [0-9]+ by
// race-expect: Previous close of descriptor [0-9]+ by
// race-expect: Hint: the second close may hit another file
// race-expect: Found 1 data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static int fd;
static void racy(void) { close(fd); step(1); }

int main(void)
{
    fd = dup(0);
    go(racy);
    await(1);
    close(fd);
    return 0;
}
