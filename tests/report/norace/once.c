/* The clean twin of race/once.c: the end of the function happens before every return. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_once once;
static void init(void *arg) { x = *(int *)arg; }
static void clean(void) { int one = 1; go_once_do(&once, init, &one); step(1); }

int main(void)
{
    go(clean);
    await(1);
    go_once_do(&once, init, NULL);
    sink = x;
    return 0;
}
