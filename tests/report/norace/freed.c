/* The clean twin of race/freed.c: memory that is freed and used again by others. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static void clean(int *p, go_waitgroup *wg) { *p = 1; free(p); go_waitgroup_done(wg); }

int main(void)
{
    go_waitgroup wg = GO_WAITGROUP_INIT;
    for (int i = 0; i < 200; i++) {
        int *p = malloc(sizeof *p);
        *p = 0;
        go_waitgroup_add(&wg, 1);
        go(clean, p, &wg);
    }
    go_waitgroup_wait(&wg);
    return 0;
}
