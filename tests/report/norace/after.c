/* The clean twin of race/after.c: what came before go_after comes before its value is received. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static void clean(go_recv_chan(int64_t) t, go_send_chan(int) done) { go_recv(t, NULL); x = 1; go_send(done, 1); }

int main(void)
{
    x = 2;
    go_recv_chan(int64_t) t = go_after(1000000);
    go_chan(int) done = go_make_chan(int, 0);
    go(clean, t, done);
    go_recv(done, NULL);
    x = 3;
    return 0;
}
