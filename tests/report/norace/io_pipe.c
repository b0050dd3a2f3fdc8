/* The clean twin of race/io_pipe.c: what comes before it is. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_conn *r, *w;
static void clean(void) { x = 1; go_write(w, "a", 1); }

int main(void)
{
    char b;
    go_pipe(&r, &w);
    go(clean);
    go_read(r, &b, 1);
    x = 2;
    return 0;
}
