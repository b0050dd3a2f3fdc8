/* A race on a descriptor is suppressed by a function of either side. */
// race-expect: ^Suppressed 1 report\(s\):$
// race-expect: ^ +1 race:\^writes\$$
// absent: DATA RACE|Found
// race-status: 3
#include "suppress_test.h"

static int fd;
static void writes(void) { write(fd, "", 0); step(1); }

int main(int argc, char **argv)
{
    again_with(argc, argv, "race:^writes$\n", "atexit_sleep_ms=0");
    fd = dup(1);
    go(writes);
    await(1);
    close(fd);
    return 3;
}
