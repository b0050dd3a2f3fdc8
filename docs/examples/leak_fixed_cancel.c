/* leak_sender, mended with cancellation: the receiver that gives up closes a channel that the sender listens to. */
// expect: gave up
// expect: cancelled
// absent: leakcheck
#include <gort.h>
#include <stdio.h>

static void slow_query(go_send_chan(int) answer, go_recv_chan(char) cancel)
{
    go_sleep(20 * GO_MILLISECOND);
    switch (go_select(go_case_send(answer, 42), go_case_recv(cancel, NULL))) {
    case 0: break;
    case 1: printf("cancelled\n"); break;
    }
}

int main(void)
{
    go_chan(int) answer = go_make_chan(int, 0);
    go_chan(char) cancel = go_make_chan(char, 0);
    int v;
    go(slow_query, answer, cancel);
    switch (go_select(go_case_recv(answer, &v), go_case_timeout(GO_MILLISECOND))) {
    case 0: printf("answer %d\n", v); break;
    case 1:
        printf("gave up\n");
        go_close(cancel);
        break;
    }
    return leakcheck() ? 1 : 0;
}
