/* select with a timeout: a slow answer is not waited for. */
// expect: timeout
// expect: got 42
#include <gort.h>
#include <stdio.h>

static void answer(go_send_chan(int) c, int64_t delay)
{
    go_sleep(delay);
    go_send(c, 42);
}

static void ask(int64_t delay)
{
    go_chan(int) c = go_make_chan(int, 1);   /* room for one: a late answer finds a place and its goroutine ends */
    int v;
    go(answer, c, delay);
    switch (go_select(go_case_recv(c, &v), go_case_timeout(50 * GO_MILLISECOND))) {
    case 0: printf("got %d\n", v); break;
    case 1: printf("timeout\n"); break;
    }
}

int main(void)
{
    ask(10 * GO_SECOND);
    ask(GO_MILLISECOND);
    return 0;
}
