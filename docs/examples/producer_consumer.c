/* Producer and consumer over directional channels: the types say who may send, and close says that no more will come. */
// expect: 100 items, sum 4950
#include <gort.h>
#include <stdio.h>

static void produce(go_send_chan(int) out, int n)
{
    for (int i = 0; i < n; i++)
        go_send(out, i);
    go_close(out);
}

static void consume(go_recv_chan(int) in, go_send_chan(int) result)
{
    int v, n = 0, sum = 0;
    while (go_recv(in, &v)) {
        n++;
        sum += v;
    }
    go_send(result, n);
    go_send(result, sum);
}

int main(void)
{
    go_chan(int) items = go_make_chan(int, 8);
    go_chan(int) result = go_make_chan(int, 0);
    go(produce, items, 100);
    go(consume, items, result);
    int n, sum;
    go_recv(result, &n);
    go_recv(result, &sum);
    printf("%d items, sum %d\n", n, sum);
    go_chan_free(items);
    go_chan_free(result);
    return 0;
}
