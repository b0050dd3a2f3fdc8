/* Many goroutines with one stack are one block. */
// expect: leakcheck: found unexpected goroutines: 30
// expect: ^goroutine [0-9]+ \[chan receive\]:$
// expect: ^waiter\(\)$
// expect: 30 goroutines with this stack:
// expect: leakcheck: 30 goroutines leaked
// expect: ^left 30$
#include <gort.h>
#include <stdio.h>

static void waiter(go_chan(int) c)
{
    go_recv(c, NULL);
}

int main(void)
{
    go_chan(int) c = go_make_chan(int, 0);
    for (int i = 0; i < 30; i++)
        go(waiter, c);
    printf("left %d\n", leakcheck());
    return 0;
}
