/* Adds that lift the counter at once with others, waits at once with others, adds to a counter that is not zero while somebody waits. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_waitgroup wg, all;
static go_chan(int) added;
static void late(void) { go_waitgroup_done(&wg); }
static void adds(void) { go_waitgroup_add(&wg, 1); go_send(added, 1); go_waitgroup_add(&wg, 1); go(late); go_waitgroup_done(&wg); }
static void waits(void) { go_waitgroup_wait(&wg); go_waitgroup_done(&all); }

int main(void)
{
    added = go_make_chan(int, 4);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 4; i++)
            go(adds);
        for (int i = 0; i < 4; i++)
            go_recv(added, NULL);
        go_waitgroup_add(&all, 2);
        for (int i = 0; i < 2; i++)
            go(waits);
        go_waitgroup_wait(&wg);
        go_waitgroup_wait(&all);
    }
    return 0;
}
