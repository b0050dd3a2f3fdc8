/* The clean twin of race/wide.c: a channel orders the two. */
// expect: all done$
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
#if defined FORTIFY && defined __OPTIMIZE__
#define _FORTIFY_SOURCE 2
#endif
#define _GNU_SOURCE
#include "race_test.h"
#include "wide.inc"

static go_chan(int) c;
static void writer(void)
{
    fill();
    go_send(c, 1);
}

int main(void)
{
    c = go_make_chan(int, 0);
    go(writer);
    go_recv(c, NULL);
    use();
    puts("all done");
    return 0;
}
