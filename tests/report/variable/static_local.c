/* A function's static variable, and an array of arrays. */
// race-expect: ^Global var counts of size 48 at 0x[0-9a-f]+ \(static in count\(\)\) declared at .*static_local\.c:11$
// race-expect: ^Accessed part: counts\[1\]\[2\]$
// race-expect: ^Hint: the line reads, changes and writes back
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
#include "race_test.h"

static __attribute__((noinline)) void count(int i, int k)
{
    static int counts[3][4];
    counts[i][k]++;
}

static volatile int one = 1;
static void racy(void) { count(one, 2); step(1); }

int main(void)
{
    go(racy);
    await(1);
    count(one, 2);
    return 0;
}
