/* The clean twin of race/fd_close_twice.c: who comes first closes. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static int fd;
static go_once once;
static void closes(void *p) { (void)p; close(fd); }
static void clean(void) { go_once_do(&once, closes, NULL); step(1); }

int main(void)
{
    fd = dup(0);
    go(clean);
    await(1);
    go_once_do(&once, closes, NULL);
    return 0;
}
