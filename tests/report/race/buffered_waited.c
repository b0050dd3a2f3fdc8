/* A receive from a full channel lets a send end. Who gets the element of that send learns nothing of the receive: the send might have gone first. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static void sender(go_chan(int) c) { go_send(c, 2); }
static void racy(go_chan(int) c) { await(1); go_recv(c, NULL); x = 2; step(2); }

int main(void)
{
    go_chan(int) c = go_make_chan(int, 1);
    go_send(c, 1);
    go(sender, c);
    go(racy, c);
    go_sleep(GO_MILLISECOND);   /* mostly the sender waits then; it need not */
    x = 1;
    go_recv(c, NULL);
    step(1);
    await(2);
    return 0;
}
