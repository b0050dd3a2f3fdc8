/* The clean twin of race/context_err.c: an err that reports the cancel comes after what came before it, in a context made later from the
 * cancelled one, too. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

int y;   /* not static: see x */
static void clean(go_context *c) { x = y = 1; go_context_cancel_cause(c, GO_ERR_EOF); step(1); }
static void derive(go_context *c, go_chan(int) done)
{
    await(1);
    go_context *late = go_context_with_cancel(c);
    if (go_context_cause(late) == GO_ERR_EOF)
        y = 3;
    go_send(done, 1);
}

int main(void)
{
    go_context *c = go_context_with_timeout(go_context_background(), GO_HOUR), *child = go_context_with_timeout(c, GO_HOUR);
    go_chan(int) done = go_make_chan(int, 0);
    go(derive, c, done);
    go(clean, c);
    while (go_context_err(child) == 0)
        usleep(100);
    x = 2;
    go_recv(done, NULL);
    y = 4;
    return 0;
}
