/* A deadlock: two goroutines wait for each other's message. The runtime ends the program and shows where everyone waits. */
// expect: fatal error: all goroutines are asleep - deadlock!
// expect: goroutine 1 \[chan receive\]:
// expect: main\(\)
// expect: goroutine 2 \[chan receive\]:
// expect: partner\(\)
// expect: created by main in goroutine 1
// status: 2
#include <gort.h>

static void partner(go_recv_chan(int) mine, go_send_chan(int) yours)
{
    int v;
    go_recv(mine, &v);
    go_send(yours, v);
}

int main(void)
{
    go_chan(int) a = go_make_chan(int, 0), b = go_make_chan(int, 0);
    int v;
    go(partner, a, b);
    go_recv(b, &v);   /* and the partner waits for a */
    go_send(a, v);
    return 0;
}
