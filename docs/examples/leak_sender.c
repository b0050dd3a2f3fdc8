/* A leak: the receiver gives up after a timeout, and the sender waits for ever. leakcheck() names it. */
// expect: gave up
// expect: leakcheck: found unexpected goroutines: 1
// expect: goroutine [0-9]+ \[chan send\]:
// expect: slow_query\(\)
// expect: leak_sender\.c:17
// expect: created by .*ask in goroutine 1|created by main in goroutine 1
// expect: waiting for
// expect: leakcheck: 1 goroutine leaked
// status: 1
#include <gort.h>
#include <stdio.h>

static void slow_query(go_send_chan(int) answer)
{
    go_sleep(20 * GO_MILLISECOND);
    go_send(answer, 42);   /* nobody will ever receive */
}

static void ask(void)
{
    go_chan(int) answer = go_make_chan(int, 0);
    int v;
    go(slow_query, answer);
    switch (go_select(go_case_recv(answer, &v), go_case_timeout(GO_MILLISECOND))) {
    case 0: printf("answer %d\n", v); break;
    case 1: printf("gave up\n"); break;
    }
}

int main(void)
{
    ask();
    return leakcheck() ? 1 : 0;
}
