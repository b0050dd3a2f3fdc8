/* A WaitGroup's counter below zero panics. */
// expect: ^panic: sync: negative WaitGroup counter$
// status: 2
#include <gort.h>

int main(void)
{
    go_waitgroup wg = GO_WAITGROUP_INIT;
    go_waitgroup_add(&wg, 1);
    go_waitgroup_done(&wg);
    go_waitgroup_done(&wg);
    return 0;
}
