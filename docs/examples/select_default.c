/* select with a default: looks without waiting. A tick each 10 ms, a bang after 45. */
// expect: 4 ticks and a bang
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
    int ticked = 0, i;
    for (bool banged = false; ticked < 4 || !banged;) {
        switch (go_select(go_case_recv(ticks, &i), go_case_recv(bang, NULL), go_case_default)) {
        case 0:
            printf("tick %d\n", i);
            ticked++;
            break;
        case 1:
            printf("BANG\n");
            banged = true;
            break;
        case 2:
            go_sleep(5 * GO_MILLISECOND);
            break;
        }
    }
    printf("%d ticks and a bang\n", ticked);
    go_chan_free(bang);
    return 0;
}
