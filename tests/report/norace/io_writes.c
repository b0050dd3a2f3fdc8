/* The clean twin of race/io_writes.c: writes of one connection come one after another. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_conn *r, *w;
static void clean(void) { x = 1; go_write(w, "a", 1); step(1); }

int main(void)
{
    go_pipe(&r, &w);
    go(clean);
    await(1);
    go_write(w, "b", 1);
    x = 2;
    return 0;
}
