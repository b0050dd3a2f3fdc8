// compiles
#include <gort.h>

struct point { int x, y; };
enum colour { RED, GREEN };

void takes(go_map(int, long) m);
void test(go_map(int, long) m, go_string_map(struct point) names, go_map(struct point *, int) by_address, go_map(struct point, int) points,
          go_map(enum colour, double) colours, const struct point *key, char *text, go_map(const void *, char) any)
{
    long v = 0;
    struct point p = {0, 0};
    const char *name;
    enum colour red = RED;
    go_map_set(m, 1, 2); go_map_set(m, 1L, 2); go_map_set(m, 'a', v); go_map_get(m, 1, &v); go_map_get(m, 1u, NULL); go_map_delete(m, true);
    go_map_set(names, "a", p); go_map_set(names, text, (struct point){1, 2}); go_map_get(names, name = "b", &p);
    go_map_set(by_address, &p, 1); go_map_set(points, p, 1); go_map_set(points, *key, 1); go_map_delete(points, ((struct point){1, 2}));
    go_map_set(colours, red, 1); go_map_set(colours, GREEN, 2.5f);
    go_map_set(any, key, 'x'); go_map_set(any, text, 1); go_map_set(any, "x", 1); go_map_delete(any, NULL);
    go_map_each(names, &name, &p)
        go_map_each(names, &name, NULL)
            p.x++;
    struct go_map_iter it = {0};
    while (go_map_next(m, &it, NULL, &v))
        go_map_clear(m);
    m = go_make_map(int, long);
    takes(m);
    (void)go_map_len(m);
    go_map_free(m);
}
