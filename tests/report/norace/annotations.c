/* The clean twin of race/annotations.c: before one of the same it is. What stands for the order may be any number, too. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"
#include <gort/race.h>

static int a, b;
static const void *const numbers[] = {(void *)-1, (void *)(1ul << 63), (void *)(1ul << 47), (void *)1};

static void clean(void)
{
    x = 1;
    go_race_release(&a);
    go_race_release(&b);
    for (int again = 0; again < 3; again++)
        for (int i = 0; i < 4; i++)
            go_race_release(numbers[i]);
    step(1);
}

int main(void)
{
    go(clean);
    await(1);
    go_race_acquire(&b);
    x = 2;
    for (int i = 0; i < 4; i++)
        go_race_acquire(numbers[i]);
    return 0;
}
