/* longjmp leaves functions without their exit: stacks are right afterwards, however often it was done. */
// race-expect: WARNING: DATA RACE
// race-expect: at_last\(\)
// race-expect: main\(\)
// race-expect: Found 1 data race\(s\)
// absent: deeper\(\)
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
#include "race_test.h"
#include <setjmp.h>

static jmp_buf env, copy;
__attribute__((noinline)) static void deeper(int n)
{
    if (n == 0)
        longjmp(copy, 1);
    if (n > 0)
        deeper(n - 1);
    sink++;
}

static void racy(void) { x = 1; step(1); }
__attribute__((noinline)) static void at_last(void) { x = 2; sink++; }

int main(void)
{
    for (volatile int i = 0; i < 1000; i++)
        if (setjmp(env) == 0) {
            memcpy(copy, env, sizeof env);   /* a copy of it is as good */
            deeper(i % 20);
        }
    go(racy);
    await(1);
    at_last();
    return 0;
}
