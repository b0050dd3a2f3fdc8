/* A number that is closed again when another has got it: the one that has it finds out. */
// race-expect: WARNING: DATA RACE
// race-expect: +(Close|Write)
// race-expect: Previous close of descriptor [0-9]+ by goroutine [0-9]+:
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static int fd;
static void racy(void) { close(fd); step(1); await(2); close(fd); step(3); }

int main(void)
{
    fd = dup(1);
    go(racy);
    await(1);
    int mine = dup(1);
    if (mine != fd)
        abort();
    step(2);
    await(3);
    write(mine, "\n", 1);
    close(mine);
    return 0;
}
