/* The clean twin of race/map_key.c: the map's copy is its own. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static char text[] = "abc";
static void clean(void) { text[1] = 'x'; step(1); }

int main(void)
{
    go_string_map(int) m = go_make_string_map(int);
    go_map_set(m, text, 1);
    go(clean);
    await(1);
    int r = go_map_get(m, "abc", &x);
    const char *k;
    go_map_each(m, &k, NULL)
        r += k[1] == 'b';
    return r != 2;
}
