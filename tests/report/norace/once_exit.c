/* The clean twin of race/once_exit.c: the function counts as done when it ends by go_exit(), and that happens before every return. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_once once;
static void init(void *arg) { (void)arg; x = 1; go_exit(); }
static void clean(void) { step(1); go_once_do(&once, init, NULL); }

int main(void)
{
    go(clean);
    await(1);
    usleep(20000);
    go_once_do(&once, init, NULL);
    sink = x;
    return 0;
}
