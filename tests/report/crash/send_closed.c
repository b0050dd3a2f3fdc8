/* Sending on a closed channel panics, with the goroutine's stack. */
// expect: ^panic: send on closed channel$
// expect: ^goroutine [0-9]+ \[running\]:$
// expect: ^sender\(\)$
// expect: send_closed\.c:14 \+0x
// expect: ^created by main in goroutine 1$
// absent: \[chan receive\]
// status: 2
#include <gort.h>

static void sender(go_chan(int) c)
{
    go_close(c);
    go_send(c, 1);
}

int main(void)
{
    go_chan(int) c = go_make_chan(int, 1);
    go(sender, c);
    go_sleep(GO_MINUTE);
    return 0;
}
