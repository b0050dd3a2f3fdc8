/* The clean twin of race/go_start.c. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static void clean(void) { x = 1; step(1); }

int main(void)
{
    x = 2;
    go(clean);
    await(1);
    return 0;
}
