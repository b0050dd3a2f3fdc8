/* A racy program outside the tree. */
#include <gort.h>

int counter;

static void add(go_waitgroup *wg)
{
    counter++;
    go_waitgroup_done(wg);
}

int main(void)
{
    go_waitgroup wg = GO_WAITGROUP_INIT;
    go_waitgroup_add(&wg, 2);
    go(add, &wg);
    go(add, &wg);
    go_waitgroup_wait(&wg);
    return 0;
}
