/* The clean twin of race/stacks.c: a stack is used by one goroutine after the other. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_waitgroup wg;
static void clean(int n) { volatile int local[64] = {0}; for (int i = 0; i < 64; i++) local[i] = n + local[(i + 7) % 64] * 0; go_waitgroup_done(&wg); }

int main(void)
{
    for (int r = 0; r < 20; r++) {
        go_waitgroup_add(&wg, 50);
        for (int i = 0; i < 50; i++)
            go(clean, i);
        go_sleep(10000);
    }
    go_waitgroup_wait(&wg);
    return 0;
}
