/* The variable of a loop, handed on by its address: the classic mistake. The report names the loop's line where the compiler has none for the increment. */
// race-expect: WARNING: DATA RACE
// race-expect: ^  (reads|main)\(\)$
// race-expect: loop\.c:[1-9]
// race-expect: ^          > (for \(i = 0; i < 5; i\+\+\)|int \*at = p, is = \*at;)$
// race-expect: ^Previous
// race-expect: loop\.c:[1-9]
// race-expect: ^          > (for \(i = 0; i < 5; i\+\+\)|int \*at = p, is = \*at;)$
// absent: \.c:0
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
#include "race_test.h"

int seen[8];   /* not static: else nobody needs it */

static int reads(void *p)
{
    int *at = p, is = *at;
    seen[is % 8] = is;
    return 0;
}

int main(void)
{
    go_errgroup g = GO_ERRGROUP_INIT;
    int i;
    for (i = 0; i < 5; i++)
        go_errgroup_go(&g, reads, &i);
    go_errgroup_wait(&g);
    return 0;
}
