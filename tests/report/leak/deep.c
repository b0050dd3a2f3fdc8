/* Of a very deep stack both ends are told, and how much is between. */
// expect: ^leakcheck: found unexpected goroutines: 1$
// expect: ^goroutine [0-9]+ \[chan receive\]:$
// expect: +^deeper\(\)$
// expect: ^\.\.\.[0-9]+ frames elided\.\.\.$
// expect: +^deeper\(\)$
// expect: ^service\(\)$
// expect: ^created by main in goroutine 1$
// expect: ^leakcheck: 1 goroutine leaked$
#include <gort.h>
#include <gort/leak.h>
#include <stdlib.h>

static __attribute__((noinline)) int deeper(go_chan(int) c, int n)
{
    if (n == 0)
        go_recv(c, &n);
    else
        n += deeper(c, n - 1);
    return n + 1;
}

static void service(go_chan(int) c)
{
    deeper(c, 300);
}

int main(void)
{
    go_chan(int) c = go_make_chan(int, 0);
    go(service, c);
    while (go_num_goroutine() < 2)
        go_yield();
    go_sleep(10 * GO_MILLISECOND);
    int left = leakcheck_with(&(struct leakcheck_options){.max_wait_ns = 20 * GO_MILLISECOND});
    _Exit(left == 1 ? 0 : 1);
}
