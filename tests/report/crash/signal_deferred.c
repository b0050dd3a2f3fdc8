/* A fault in a deferred call that go_exit runs: the whole way there, without the runtime's own calls. */
// expect: ^panic: runtime error: invalid memory address or nil pointer dereference$
// expect: ^goroutine 2 \[running\]:$
// expect: ^crash\(\)$
// expect: ^deferred\(\)$
// expect: ^go_exit\(\)$
// expect: ^work\(\)$
// expect: ^created by main in goroutine 1$
// absent: gort_g_return
// absent: defer_run_all
// status: 2
#include <gort.h>

static int *nowhere;

static __attribute__((noinline)) void crash(int *p)
{
    *(volatile int *)nowhere = *p;
    p[1]++;
}

static __attribute__((noinline)) void deferred(int *p)
{
    crash(p);
    p[0]++;
}

static void work(void)
{
    int x[2] = {0};
    go_defer(deferred, x);
    go_exit();
}

int main(void)
{
    go(work);
    go_sleep(GO_MINUTE);
    return 0;
}
