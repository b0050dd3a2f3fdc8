/* exitcode=0: races are told, the status is the program's own. */
// race-expect: ^Found 1 data race\(s\)$
// race-status: 5
// env: GORACE=atexit_sleep_ms=0 exitcode=0
#include "race_test.h"

static void racy(void) { x = 1; step(1); }

int main(void)
{
    go(racy);
    await(1);
    x = 2;
    return 5;
}
