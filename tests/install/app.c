/* A clean program outside the tree. */
#include <gort.h>
#include <stdio.h>

static void produce(go_send_chan(int) c)
{
    for (int i = 0; i < 1000; i++)
        go_send(c, i);
    go_close(c);
}

int main(void)
{
    go_chan(int) c = go_make_chan(int, 4);
    int v, sum = 0;
    go(produce, c);
    while (go_recv(c, &v))
        sum += v;
    printf("sum %d\n", sum);
    go_chan_free(c);
    return 0;
}
