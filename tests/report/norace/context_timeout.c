/* The clean twin of race/context_timeout.c: that it does. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static void clean(go_context *c, go_send_chan(int) done) { go_recv(go_context_done(c), NULL); x = 1; go_send(done, 1); }

int main(void)
{
    go_chan(int) done = go_make_chan(int, 0);
    for (int i = 0; i < 20; i++) {
        x = 2;
        go_context *c = go_context_with_timeout(go_context_background(), i * 10000), *child = go_context_with_cancel(c);
        go(clean, child, done);
        go_recv(done, NULL);
        x = 3;
        go_context_free(child);
        go_context_free(c);
    }
    return 0;
}
