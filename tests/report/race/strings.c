/* Each of libc's memory and string functions accesses the memory of its arguments: all of these were written by another goroutine, and nothing
 * orders the two. One report for each line below. */
// race-expect: WARNING: DATA RACE
// race-expect: Found 81 data race\(s\)
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
#if defined FORTIFY && defined __OPTIMIZE__
#define _FORTIFY_SOURCE 2
#endif
#define _GNU_SOURCE
#include "race_test.h"
#include "strings.inc"

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
