/* The clean twin of race/cond_timeout.c: one that a signal ended does. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_cond c;
static go_mutex m;
static void clean(void)
{
    await(1);
    go_mutex_lock(&m);   /* now it waits */
    go_mutex_unlock(&m);
    x = 1;
    go_cond_signal(&c);
}

int main(void)
{
    go(clean);
    go_mutex_lock(&m);
    step(1);
    if (!(go_cond_wait_timeout(&c, &m, GO_MINUTE)))
        return 1;
    x = 2;
    go_mutex_unlock(&m);
    return 0;
}
