/* Writing to a nil map. */
// expect: ^panic: assignment to entry in nil map$
// expect: ^main\(\)$
// status: 2
#include <gort.h>

int main(void)
{
    go_map(int, int) m = NULL;
    go_map_set(m, 1, 1);
    return 0;
}
