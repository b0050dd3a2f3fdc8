/* A signal orders nothing: who sends it is not ordered before who is told of it. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"
#include <signal.h>

static void racy(void) { await(1); x = 1; kill(getpid(), SIGUSR1); step(2); }

int main(void)
{
    go_chan(int) c = go_make_chan(int, 1);
    go_signal_notify(c, SIGUSR1);
    go(racy);
    step(1);
    go_recv(c, NULL);
    await(2);
    x = 2;
    return 0;
}
