/* The clean twin of race/io_two.c: before a read of its other end it is. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_conn *r[2], *w[2];
static void clean(void) { x = 1; go_write(w[0], "a", 1); step(1); }

int main(void)
{
    char b;
    go_pipe(&r[0], &w[0]);
    go_pipe(&r[1], &w[1]);
    go_write(w[1], "a", 1);
    go(clean);
    await(1);
    go_read(r[0], &b, 1);
    x = 2;
    return 0;
}
