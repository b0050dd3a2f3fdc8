/* The clean twin of race/select_recv.c: what comes before it is. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static void clean(go_chan(int) c, go_chan(int) d) { x = 1; go_select(go_case_recv(d, NULL), go_case_recv(c, NULL)); }

int main(void)
{
    go_chan(int) c = go_make_chan(int, 0), d = go_make_chan(int, 0);
    go(clean, c, d);
    go_send(c, 1);
    x = 2;
    return 0;
}
