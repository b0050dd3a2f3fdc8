/* A channel of elements without size has room for any number of them, and orders as others do. */
// expect: ^1099511627776: 3 sent, x is 7$
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

struct none {
};

static void sends(go_chan(struct none) c)
{
    struct none element = {};
    go_send(c, element);
    go_send(c, element);
    x = 7;
    go_send(c, element);
}

int main(void)
{
    long long room = 1ll << 40;
    go_chan(struct none) c = go_make_chan(struct none, room);
    go(sends, c);
    for (int i = 0; i < 3; i++)
        go_recv(c, NULL);
    printf("%lld: %d sent, x is %d\n", (long long)go_cap(c), 3, x);
    go_chan_free(c);
    return 0;
}
