/* At the memory limit the detector says what it loses, once, and the program runs on. */
// expect: ^gort: race detector: memory_limit_mb is reached: from now on the oldest accesses are forgotten, and races with them are not found
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0:memory_limit_mb=2
#include "race_test.h"

enum { ROUNDS = 4, EACH = 5000 };
static go_mutex mu;
static int count;

static void worker(go_waitgroup *ready, go_waitgroup *end, go_recv_chan(int) gate)
{
    go_mutex_lock(&mu);
    count++;
    go_mutex_unlock(&mu);
    go_waitgroup_done(ready);
    go_recv(gate, NULL);
    go_waitgroup_done(end);
}

int main(void)
{
    for (int r = 0; r < ROUNDS; r++) {
        go_waitgroup ready = GO_WAITGROUP_INIT, end = GO_WAITGROUP_INIT;
        go_chan(int) gate = go_make_chan(int, 0);
        go_waitgroup_add(&ready, EACH);
        go_waitgroup_add(&end, EACH);
        for (int i = 0; i < EACH; i++)
            go(worker, &ready, &end, gate);
        go_waitgroup_wait(&ready);
        go_close(gate);
        go_waitgroup_wait(&end);
        go_chan_free(gate);
    }
    return count == ROUNDS * EACH ? 0 : 1;
}
