/* The clean twin of race/errgroup.c: who waits is, whether they fail or not. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static int y[50];
static int clean(void *arg) { int *p = arg; *p = 1; return p - y == 7 ? GO_ERR_EOF : 0; }

int main(void)
{
    go_errgroup g;
    go_context *c = go_errgroup_with_context(&g, go_context_background());
    for (int i = 0; i < 50; i++)
        go_errgroup_go(&g, clean, &y[i]);
    int err = go_errgroup_wait(&g), sum = 0;
    for (int i = 0; i < 50; i++)
        sum += y[i];
    x = sum;
    go_context_free(c);
    return sum != 50 || err != GO_ERR_EOF;
}
