/* A close after all sends; looks at the channel, and receives from it, at any time; channels one after another in the same memory. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static void clean(go_chan(int) c, go_chan(int) other)
{
    go_send(c, 1);
    (void)go_try_send(c, 1);
    (void)go_select(go_case_send(c, 1), go_case_default);
    go_send(other, 1);
}
static void looks(go_recv_chan(int) c) { (void)go_len(c); (void)go_try_recv(c, NULL); step(1); while (go_recv(c, NULL)) {} step(2); }

int main(void)
{
    for (int round = 0; round < 3; round++) {
        step(0);
        go_chan(int) c = go_make_chan(int, 3), other = go_make_chan(int, 0);
        go(looks, c);
        await(1);
        go(clean, c, other);
        go(clean, c, other);
        go_recv(other, NULL);
        go_recv(other, NULL);
        go_close(c);
        await(2);
        go_sleep(GO_MILLISECOND);
        go_chan_free(other);
        go_chan_free(c);
    }
    return 0;
}
