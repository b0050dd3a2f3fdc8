/* The clean twin of race/pool.c: a put happens before the get of the same object. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_pool p;
static int a;
static void clean(void) { x = 1; a = 2; go_pool_put(&p, &a); step(1); }

int main(void)
{
    go(clean);
    await(1);
    int *got = go_pool_get(&p);
    sink = *got + x;
    go_pool_clear(&p);
    return 0;
}
