/* go_panic: the message, the stack, status 2; what was printed before is not lost. */
// expect: ^printed before$
// expect: ^panic: disk 3 is full$
// expect: ^goroutine [0-9]+ \[running\]:$
// expect: ^deep\(\)$
// expect: ^shallow\(\)$
// status: 2
#include <gort.h>
#include <stdio.h>

static __attribute__((noinline)) void deep(int n)
{
    go_panic("disk %d is full", n);
}

static void shallow(void)
{
    printf("printed before\n");
    deep(3);
}

int main(void)
{
    go(shallow);
    go_sleep(GO_MINUTE);
    return 0;
}
