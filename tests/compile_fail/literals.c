// compiles
/* Compound literals of values that are only known when the program runs, wherever the macros take an expression. */
#include <gort.h>

struct pair { int x; void *at; };
void takes_pair(struct pair p, int n);
void takes_pointer(struct pair *p);
go_chan(int) chan_of(struct pair p);

int test(int y, go_chan(struct pair) c, go_map(int, struct pair) values, go_map(struct pair *, int) keys)
{
    struct pair got;
    go(takes_pair, ((struct pair){y, &y}), 1);
    go_defer(takes_pointer, (&(struct pair){y, &y}));
    go_send(c, (struct pair){y, &y});
    (void)go_try_send(c, (struct pair){y, &y});
    go_send(chan_of((struct pair){y, &y}), y);
    (void)go_recv(chan_of((struct pair){y, &y}), NULL);
    (void)go_len(chan_of((struct pair){y, &y}));
    go_close(chan_of((struct pair){y, &y}));
    go_map_set(values, y, (struct pair){y, &y});
    (void)go_map_get(keys, (&(struct pair){y, &y}), NULL);
    return go_select(go_case_send(c, (struct pair){y, &y}), go_case_send(chan_of((struct pair){y, &y}), y),
                     go_case_recv(chan_of((struct pair){y, &y}), &got.x), go_case_default);
}
