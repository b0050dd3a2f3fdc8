/* A deferred call may end the program otherwise, and one that waits for ever doesn't keep it from ending. */
// expect: ^leaving$
// status: 5
#include <gort.h>
#include <stdio.h>
#include <stdlib.h>

static void leaves(void *arg)
{
    (void)arg;
    fprintf(stderr, "leaving\n");
    exit(5);
}

static void waits(void *arg)
{
    go_sem_release(arg, 1);
    go_sem s = {0};
    go_sem_acquire(&s, 1);
}

static void works(go_sem *begun, void (*at_end)(void *))
{
    go_defer(at_end, begun);
    go_panic("never seen");
}

int main(void)
{
    go_sem begun = {0};
    go(works, &begun, waits);
    go_sem_acquire(&begun, 1);
    go(works, &begun, leaves);
    go_sleep(GO_MINUTE);
}
