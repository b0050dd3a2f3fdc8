// error: integer from pointer|pointer to integer
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
    go_send(c, pointer);
}
