/* select with a default: looks without waiting. A tick each 10 ms, a bang after 45. */
// expect: tick
// expect: BANG
#include <gort.h>
#include <stdio.h>

static void ticker(go_send_chan(int) c)
{
    for (int i = 0; i < 4; i++) {
        go_sleep(10 * GO_MILLISECOND);
        go_send(c, i);
    }
}

int main(void)
{
    go_chan(int) ticks = go_make_chan(int, 4);
    go_recv_chan(int64_t) bang = go_after(45 * GO_MILLISECOND);
    go(ticker, ticks);
    for (;;) {
        int i;
        switch (go_select(go_case_recv(ticks, &i), go_case_recv(bang, NULL), go_case_default)) {
        case 0: printf("tick %d\n", i); break;
        case 1:
            printf("BANG\n");
            go_chan_free(bang);
            return 0;
        case 2: go_sleep(5 * GO_MILLISECOND); break;
        }
    }
}
