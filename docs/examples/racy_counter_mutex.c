/* racy_counter, mended with a mutex. */
// expect: count 1000
// absent: DATA RACE
#include <gort.h>
#include <stdio.h>

static int counter;
static go_mutex lock;   /* guards counter */

static void increment(go_waitgroup *wg)
{
    go_mutex_lock(&lock);
    counter++;
    go_mutex_unlock(&lock);
    go_waitgroup_done(wg);
}

int main(void)
{
    go_waitgroup wg = GO_WAITGROUP_INIT;
    go_waitgroup_add(&wg, 1000);
    for (int i = 0; i < 1000; i++)
        go(increment, &wg);
    go_waitgroup_wait(&wg);
    printf("count %d\n", counter);
    return 0;
}
