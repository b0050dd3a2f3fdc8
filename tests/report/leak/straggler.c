/* A goroutine that ends while leakcheck waits is no leak. */
// expect: ^left 0$
// absent: leakcheck
#include <gort.h>
#include <stdio.h>

static void straggler(void)
{
    go_sleep(50 * GO_MILLISECOND);
}

int main(void)
{
    go(straggler);
    printf("left %d\n", leakcheck());
    return 0;
}
