/* Closing twice panics. */
// expect: ^panic: close of closed channel$
// expect: ^goroutine 1 \[running\]:$
// expect: ^main\(\)$
// status: 2
#include <gort.h>

int main(void)
{
    go_chan(int) c = go_make_chan(int, 1);
    go_close(c);
    go_close(c);
    return 0;
}
