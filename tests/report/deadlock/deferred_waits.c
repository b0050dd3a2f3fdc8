/* All asleep, one of them in a deferred call that go_exit runs. */
// expect: ^fatal error: all goroutines are asleep - deadlock!$
// expect: ^goroutine 2 \[chan receive\]:$
// expect: ^deferred\(\)$
// expect: ^go_exit\(\)$
// expect: ^work\(\)$
// expect: ^created by main in goroutine 1$
// absent: gort_g_return
// absent: defer_run_all
// status: 2
#include <gort.h>

static go_chan(int) c;

static void deferred(int *p)
{
    go_recv(c, NULL);
    p[0]++;
}

static void work(void)
{
    int x = 0;
    go_defer(deferred, &x);
    go_exit();
}

int main(void)
{
    c = go_make_chan(int, 0);
    go(work);
    go_recv(c, NULL);
    return 0;
}
