/* The clean twin of race/bytes.c. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

struct { char c[8]; } b;
static void clean(void) { memset(&b.c[2], 1, 3); step(1); }

int main(void)
{
    go(clean);
    await(1);
    b.c[5] = 2;
    b.c[1] = 2;
    return 0;
}
