/* Freeing a channel on which somebody waits is a fatal error that shows who. */
// expect: ^fatal error: free of a channel in use$
// expect: ^goroutine 1 \[running\]:$
// expect: ^goroutine 2 \[chan receive\]:$
// expect: ^waiter\(\)$
// status: 2
#include <gort.h>

static void waiter(go_chan(int) c)
{
    go_recv(c, NULL);
}

int main(void)
{
    go_chan(int) c = go_make_chan(int, 0);
    go(waiter, c);
    go_sleep(20 * GO_MILLISECOND);
    go_chan_free(c);
    return 0;
}
