/* A ticker needs a positive interval. */
// expect: ^panic: non-positive interval for NewTicker$
// expect: ^goroutine 1 \[running\]:$
// expect: ^main\(\)$
// status: 2
#include <gort.h>

int main(void)
{
    go_ticker_new(0);
    return 0;
}
