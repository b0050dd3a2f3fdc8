/* So does a reset. */
// expect: ^panic: non-positive interval for Ticker.Reset$
// expect: ^main\(\)$
// status: 2
#include <gort.h>

int main(void)
{
    go_ticker *t = go_ticker_new(GO_HOUR);
    go_ticker_reset(t, -1);
    return 0;
}
