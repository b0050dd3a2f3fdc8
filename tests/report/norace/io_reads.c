/* The clean twin of race/io_reads.c: reads of one connection come one after another. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_conn *r, *w;
static void clean(void) { char b; x = 1; go_read(r, &b, 1); step(1); }

int main(void)
{
    char b;
    go_pipe(&r, &w);
    go_write(w, "ab", 2);
    go(clean);
    await(1);
    go_read(r, &b, 1);
    x = 2;
    return 0;
}
