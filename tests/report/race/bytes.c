/* Accesses race where they share bytes, not where they share a word. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

struct { char c[8]; } b;
static void racy(void) { memset(&b.c[2], 1, 3); step(1); }

int main(void)
{
    go(racy);
    await(1);
    b.c[4] = 2;
    return 0;
}
