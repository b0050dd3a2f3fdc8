/* A buffered channel: sends don't wait while there is room. */
// expect: 2 of 2 buffered
// expect: 1 2
// expect: closed: no value
#include <gort.h>
#include <stdio.h>

int main(void)
{
    go_chan(int) c = go_make_chan(int, 2);
    go_send(c, 1);
    go_send(c, 2);
    printf("%zu of %zu buffered\n", go_len(c), go_cap(c));
    go_close(c);
    int x, y, z;
    go_recv(c, &x);
    go_recv(c, &y);
    printf("%d %d\n", x, y);
    if (!go_recv(c, &z))
        printf("closed: no value\n");
    go_chan_free(c);
    return 0;
}
