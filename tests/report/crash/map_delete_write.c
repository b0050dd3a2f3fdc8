/* Deletes are writes. */
// expect: ^fatal error: concurrent map writes$
// expect: ^goroutine [0-9]+ \[running\]:$
// expect: ^(one|other)\(\)$
// status: 2
// env: GORACE=atexit_sleep_ms=0
// runs: 5
#include <gort.h>

static go_map(int, int) m;

static void one(void)
{
    for (int i = 0;; i++)
        go_map_delete(m, i % 1000);
}

static void other(void)
{
    for (int i = 0;; i++)
        go_map_set(m, i % 1000, i);
}

int main(void)
{
    go_maxprocs(4);
    m = go_make_map(int, int);
    for (int i = 0; i < 1000; i++)
        go_map_set(m, i, i);
    go(one);
    go(other);
    go_sleep(30 * GO_SECOND);
    return 0;
}
