/* Freeing a timer on whose channel somebody waits shows who. */
// expect: ^fatal error: free of a channel in use$
// expect: ^goroutine 1 \[running\]:$
// expect: ^goroutine 2 \[chan receive\]:$
// expect: ^waiter\(\)$
// status: 2
#include <gort.h>

static void waiter(go_timer *t)
{
    go_recv(go_timer_chan(t), NULL);
}

int main(void)
{
    go_timer *t = go_timer_new(GO_HOUR);
    go(waiter, t);
    go_sleep(20 * GO_MILLISECOND);
    go_timer_free(t);
    return 0;
}
