// compiles
#include <gort.h>

struct point { int x, y; };
struct big { long v[5]; };
void takes_pointer(int *p);
void takes_two(int a, double b);
struct big gives_struct(void);

void test(go_chan(int) c, go_send_chan(int) s, go_recv_chan(int) r, go_chan(struct point) points, int *pointer)
{
    double d = 0;
    (void)c, (void)s, (void)r, (void)points, (void)pointer, (void)d;
    go_send(c, 1); go_send(s, 2); go_recv(r, NULL); go_send(points, (struct point){1, 2}); go(takes_pointer, pointer); go(takes_pointer, NULL); go(takes_two, 1, 2); s = c; r = c; go_close(s); (void)go_len(r); (void)go_select(go_case_send(s, 1), go_case_recv(r, NULL), go_case_default);
}
