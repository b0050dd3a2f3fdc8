/* GORACE's file of suppressions, by a file's name: nothing is told, and the status is the program's own. */
// race-expect: ^Suppressed 1 report\(s\):$
// race-expect: ^ +1 race:suppress/file\.c$
// absent: DATA RACE|Found
// race-status: 3
#include "suppress_test.h"

static void racy(void) { x = 1; step(1); }

int main(int argc, char **argv)
{
    again_with(argc, argv, "race:nothing_of_that_name\nrace:suppress/file.c\n", "atexit_sleep_ms=0");
    go(racy);
    await(1);
    x = 2;
    return 3;
}
