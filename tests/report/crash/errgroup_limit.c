/* The limit can't be changed while goroutines of the group are active. */
// expect: ^panic: errgroup: modify limit while 2 goroutines in the group are still active$
// expect: ^main\(\)$
// status: 2
#include <gort.h>

static int forever(void *arg)
{
    (void)arg;
    go_sleep(GO_HOUR);
    return 0;
}

int main(void)
{
    go_errgroup g = GO_ERRGROUP_INIT;
    go_errgroup_set_limit(&g, 3);
    go_errgroup_go(&g, forever, NULL);
    go_errgroup_go(&g, forever, NULL);
    go_errgroup_set_limit(&g, 4);
    return 0;
}
