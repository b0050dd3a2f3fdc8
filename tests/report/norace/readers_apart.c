/* The clean twin of race/readers_apart.c. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "readers_apart.h"

static void after_done(int i, int round)
{
    (void)i, (void)round;
}
