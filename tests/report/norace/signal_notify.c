/* The clean twin of race/signal_notify.c: what comes before go_signal_notify() is ordered before what is received. And what the runtime keeps of a
 * signal's former handler is not the program's race, when several ask for it and stop that at once. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"
#include <signal.h>

static void clean(go_chan(int) c, go_chan(int) done) { go_recv(c, NULL); sink = x; go_send(done, 1); }

static void ask_and_stop(go_chan(int) done)
{
    for (int i = 0; i < 20; i++) {
        go_chan(int) c = go_make_chan(int, 1);
        go_signal_notify(c, SIGUSR2);
        go_yield();
        go_signal_stop(c);
        go_chan_free(c);
    }
    go_send(done, 1);
}

int main(void)
{
    go_chan(int) c = go_make_chan(int, 1), done = go_make_chan(int, 0);
    x = 1;
    go_signal_notify(c, SIGUSR1);
    go(clean, c, done);
    kill(getpid(), SIGUSR1);
    go_recv(done, NULL);
    x = 2;
    for (int i = 0; i < 3; i++)
        go(ask_and_stop, done);
    for (int i = 0; i < 3; i++)
        go_recv(done, NULL);
    return 0;
}
