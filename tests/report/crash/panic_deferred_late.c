/* Main returns while a deferred call of the goroutine that panics is still at work: the panic is what the program ends with. */
// expect: ^deferred$
// expect: ^panic: late$
// expect: ^works\(\)$
// status: 2
#include <gort.h>
#include <stdio.h>

static void takes_its_time(void *done)
{
    go_waitgroup_done(done);
    go_sleep(20 * GO_MILLISECOND);
    fprintf(stderr, "deferred\n");
}

static void works(go_waitgroup *done)
{
    go_defer(takes_its_time, done);
    go_panic("late");
}

int main(void)
{
    go_waitgroup done = GO_WAITGROUP_INIT;
    go_waitgroup_add(&done, 1);
    go(works, &done);
    go_waitgroup_wait(&done);
    return 0;
}
