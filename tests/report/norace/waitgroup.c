/* The clean twin of race/waitgroup.c. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_waitgroup wg;
static int v[50];
static void clean(int i) { v[i] = i; go_waitgroup_done(&wg); }

int main(void)
{
    go_waitgroup_add(&wg, 50);
    for (int i = 0; i < 50; i++)
        go(clean, i);
    go_waitgroup_wait(&wg);
    for (int i = 0; i < 50; i++)
        sink += v[i];
    return 0;
}
