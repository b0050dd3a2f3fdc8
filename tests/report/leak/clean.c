/* Nothing is left: nothing is said. */
// expect: ^left 0$
// absent: leakcheck
#include <gort.h>
#include <stdio.h>

static void work(go_waitgroup *wg)
{
    go_waitgroup_done(wg);
}

int main(void)
{
    go_waitgroup wg = GO_WAITGROUP_INIT;
    go_waitgroup_add(&wg, 10);
    for (int i = 0; i < 10; i++)
        go(work, &wg);
    go_waitgroup_wait(&wg);
    printf("left %d\n", leakcheck());
    return 0;
}
