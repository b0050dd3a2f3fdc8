// error: incompatible pointer
#include <gort.h>

struct point { int x, y; };
struct size { int w, h; };

void takes_long(go_map(int, long) m);
void test(go_map(int, int) m, go_string_map(int) names, go_map(struct point *, int) by_address, go_map(struct point, int) points)
{
    int v = 0;
    (void)m, (void)names, (void)by_address, (void)points, (void)v;
    int k; double d; go_map_each(m, &k, &d) v++;
}
