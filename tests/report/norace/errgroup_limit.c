/* The clean twin of race/errgroup_limit.c: with one place the end of each comes before the start of the next. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static int clean(void *arg) { (void)arg; x++; return 0; }

int main(void)
{
    go_errgroup g = GO_ERRGROUP_INIT;
    go_errgroup_set_limit(&g, 1);
    for (int i = 0; i < 100; i++)
        go_errgroup_go(&g, clean, NULL);
    go_errgroup_wait(&g);
    return x != 100;
}
