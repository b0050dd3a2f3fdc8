/* Deferred calls that panic, until the stack is used up by what looks at the stack: the report does not need what that holds. */
// expect: ^fatal error: stack overflow$
// expect: ^goroutine 2 \[running\]:$
// expect: ^again\(\)$
// expect: ^go_panic\(\)$
// expect: frames elided
// expect: ^created by main in goroutine 1$
// status: 2
#include <gort.h>

static void again(void *unused)
{
    static int n;
    go_defer(again, unused);
    go_panic("again %d", ++n);
}

static void starts(void)
{
    again(NULL);
}

int main(void)
{
    go(starts);
    go_sleep(60 * GO_SECOND);
}
