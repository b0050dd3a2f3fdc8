/* The clean twin of race/jump.c, with each kind of jump. */
// expect: all done
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
#include "race_test.h"
#include <setjmp.h>

static jmp_buf env;
static sigjmp_buf sigenv;
__attribute__((noinline)) static void deeper(int n)
{
    if (n == 0)
        longjmp(env, 1);
    if (n == 1)
        _longjmp(env, 2);
    if (n == 2)
        siglongjmp(sigenv, 3);
    deeper(n - 3);
    sink++;
}

static void jumps(go_chan(int) c)
{
    for (volatile int i = 0; i < 1000; i++) {
        volatile int n = i % 12;
        if (n % 3 == 2 ? sigsetjmp(sigenv, i & 1) == 0 : setjmp(env) == 0)
            deeper(n);
        else
            x++;
    }
    go_send(c, 1);
}

int main(void)
{
    go_chan(int) c = go_make_chan(int, 0);
    for (int i = 0; i < 3; i++) {
        go(jumps, c);
        go_recv(c, NULL);
        x++;
    }
    puts("all done");
    return 0;
}
