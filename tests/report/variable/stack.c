/* A variable on another's stack, main's. */
// race-expect: ^Previous write at 0x[0-9a-f]+ by goroutine 2:$
// race-expect: ^Location is stack of main goroutine, local var local of main\(\) declared at .*stack\.c:13$
// race-expect: ^Hint: a variable of one goroutine's stack
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
#include "race_test.h"

static void racy(int *p) { *p = 1; step(1); }

int main(void)
{
    int local = 0;
    go(racy, &local);
    await(1);
    local = 2;
    step(2);
    sink = local;
    return 0;
}
