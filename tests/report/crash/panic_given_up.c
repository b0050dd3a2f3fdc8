/* go_exit in a deferred call gives the panic up: the other deferred calls run, the goroutine ends, the program goes on and isn't kept from its end. */
// expect: ^deferred$
// expect: ^alive$
// absent: panic
// absent: never
#include <gort.h>
#include <stdio.h>

static void deferred(void *done)
{
    puts("deferred");
    go_waitgroup_done(done);
}

static void leaves(void *arg)
{
    (void)arg;
    go_exit();
    puts("never");
}

static void works(go_waitgroup *done)
{
    go_defer(deferred, done);
    go_defer(leaves, NULL);
    go_panic("given up");
}

int main(void)
{
    go_waitgroup done = GO_WAITGROUP_INIT;
    go_waitgroup_add(&done, 1);
    go(works, &done);
    go_waitgroup_wait(&done);
    puts("alive");
}
