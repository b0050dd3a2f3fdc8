/* The clean twin of race/many_readers.c. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_mutex m;
static void clean(int i)
{
    (void)*(volatile int *)&x;
    go_mutex_lock(&m);
    go_mutex_unlock(&m);
    step(i + 1);
}

int main(void)
{
    for (int i = 0; i < 64; i++) {
        go(clean, i);
        await(i + 1);
    }
    go_mutex_lock(&m);
    x = 1;
    go_mutex_unlock(&m);
    return 0;
}
