/* Whose send a receive made room for knows what came before the receive, and who hears of it after its send does, too. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static void sender(go_chan(int) c, go_chan(int) sent) { go_send(c, 2); go_send(sent, 1); }
static void clean(go_chan(int) sent) { go_recv(sent, NULL); x = 2; step(1); }

int main(void)
{
    go_chan(int) c = go_make_chan(int, 1), sent = go_make_chan(int, 1);
    go_send(c, 1);
    go(sender, c, sent);
    go(clean, sent);
    go_sleep(GO_MILLISECOND);
    x = 1;
    go_recv(c, NULL);
    await(1);
    return 0;
}
