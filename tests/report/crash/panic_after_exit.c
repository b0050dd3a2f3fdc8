/* A deferred call gave the panic up, the next one panics: both are printed, as Go prints them, and the stack shows the program's functions. */
// expect: ^panic: one$
// expect: +^	panic: two$
// expect: ^goroutine [0-9]+ \[running\]:$
// expect: +^panics\(\)$
// expect: ^go_exit\(\)$
// expect: ^leaves\(\)$
// expect: ^go_panic\(\)$
// expect: ^works\(\)$
// absent: defer_run_all
// status: 2
#include <gort.h>

static __attribute__((noinline)) void panics(void *arg)
{
    (void)arg;
    go_panic("two");
}

static __attribute__((noinline)) void leaves(void *arg)
{
    (void)arg;
    go_exit();
}

static __attribute__((noinline)) void works(void)
{
    go_defer(panics, NULL);
    go_defer(leaves, NULL);
    go_panic("one");
}

int main(void)
{
    go(works);
    go_sleep(GO_MINUTE);
}
