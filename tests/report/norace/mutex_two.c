/* The clean twin of race/mutex_two.c. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_mutex m;
static void clean(go_waitgroup *wg) { for (int i = 0; i < 100; i++) { go_mutex_lock(&m); x++; go_mutex_unlock(&m); } go_waitgroup_done(wg); }

int main(void)
{
    go_waitgroup wg = GO_WAITGROUP_INIT;
    go_waitgroup_add(&wg, 8);
    for (int i = 0; i < 8; i++)
        go(clean, &wg);
    go_waitgroup_wait(&wg);
    x++;
    return 0;
}
