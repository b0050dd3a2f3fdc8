/* The clean twin of race/select.c. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static void clean(go_send_chan(int) a, go_send_chan(int) b) { x = 1; go_select(go_case_send(a, 1), go_case_send(b, 1)); }

int main(void)
{
    go_chan(int) a = go_make_chan(int, 0), b = go_make_chan(int, 0);
    go(clean, a, b);
    go_select(go_case_recv(a, NULL), go_case_recv(b, NULL), go_case_timeout(GO_MINUTE));
    x = 2;
    return 0;
}
