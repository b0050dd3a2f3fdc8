/* A panic ends the program with its own status, even if what it lets go on, the wait for the group, would have main return at the same time. */
// expect: ^panic: in the group$
// expect: ^goroutine [0-9]+ \[running\]:$
// expect: ^breaks\(\)$
// status: 2
// runs: 20
#include <gort.h>

static int breaks(void *arg)
{
    (void)arg;
    go_panic("in the group");
}

int main(void)
{
    go_errgroup g = GO_ERRGROUP_INIT;
    go_errgroup_go(&g, breaks, NULL);
    return go_errgroup_wait(&g);
}
