/* An unbuffered channel: a send and a receive meet. Two goroutines sum a half of an array each and send their sums. */
// expect: 17 -5 12|-5 17 12
#include <gort.h>
#include <stdio.h>

static void sum(const int *v, int n, go_send_chan(int) out)
{
    int total = 0;
    for (int i = 0; i < n; i++)
        total += v[i];
    go_send(out, total);
}

int main(void)
{
    int v[] = {7, 2, 8, -9, 4, 0};
    go_chan(int) c = go_make_chan(int, 0);
    go(sum, v, 3, c);
    go(sum, v + 3, 3, c);
    int x, y;
    go_recv(c, &x);
    go_recv(c, &y);
    printf("%d %d %d\n", x, y, x + y);
    go_chan_free(c);
    return 0;
}
