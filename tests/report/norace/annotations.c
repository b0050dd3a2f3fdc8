/* The clean twin of race/annotations.c: before one of the same it is. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"
#include <gort/race.h>

static int a, b;
static void clean(void) { x = 1; go_race_release(&a); go_race_release(&b); step(1); }

int main(void)
{
    go(clean);
    await(1);
    go_race_acquire(&b);
    x = 2;
    return 0;
}
