/* The clean twin of race/context.c: what comes before it is, for its descendants' too. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static void clean(go_context *c) { x = 1; go_context_cancel(c); go_context_release(c); }

int main(void)
{
    for (int i = 0; i < 20; i++) {
        go_context *c = go_context_with_cancel(go_context_background()), *d = go_context_with_cancel(c), *e = go_context_with_value(d, &x, &x);
        go(clean, go_context_hold(c));
        go_recv(go_context_done(i % 2 ? e : c), NULL);
        x = 2;
        go_context_free(c);
        go_context_free(d);
        go_context_free(e);
    }
    return 0;
}
