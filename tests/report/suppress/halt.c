/* halt_on_error=1: the program ends with the first report. */
// race-expect: ^Found 1 data race\(s\)$
// absent: after
// race-status: 7
// env: GORACE=halt_on_error=1 exitcode=7
#include "race_test.h"

static void racy(void) { x = 1; step(1); }

int main(void)
{
    go(racy);
    await(1);
    x = 2;
    puts("after");
    return 0;
}
