/* leak_sender, mended with a buffer of one: the late answer finds a place, and the sender ends. */
// expect: gave up
// absent: leakcheck
#include <gort.h>
#include <stdio.h>

static void slow_query(go_send_chan(int) answer)
{
    go_sleep(20 * GO_MILLISECOND);
    go_send(answer, 42);
}

int main(void)
{
    go_chan(int) answer = go_make_chan(int, 1);
    int v;
    go(slow_query, answer);
    switch (go_select(go_case_recv(answer, &v), go_case_timeout(GO_MILLISECOND))) {
    case 0: printf("answer %d\n", v); break;
    case 1: printf("gave up\n"); break;
    }
    return leakcheck() ? 1 : 0;
}
