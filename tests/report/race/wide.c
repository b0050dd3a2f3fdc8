/* Each of libc's functions on wide strings accesses the memory of its arguments: all of these were written by another goroutine, and nothing orders the two. One
 * report for each line of use(). */
// race-expect: WARNING: DATA RACE
// race-expect: Found 76 data race\(s\)
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
#if defined FORTIFY && defined __OPTIMIZE__
#define _FORTIFY_SOURCE 2
#endif
#define _GNU_SOURCE
#include "race_test.h"
#include "wide.inc"

static void writer(void)
{
    fill();
    step(1);
}

int main(void)
{
    go(writer);
    await(1);
    use();
    return 0;
}
