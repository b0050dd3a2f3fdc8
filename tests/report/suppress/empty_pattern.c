/* A file of suppressions with an empty pattern: the place and what is wrong, before the program begins. */
// race-expect: ^gort: race detector: suppressions: /tmp/gort_suppress_[0-9]+:2: the pattern is empty: 'race'$
// absent: began
// race-status: 2
#include "suppress_test.h"

int main(int argc, char **argv)
{
    again_with(argc, argv, "# fine\nrace:\n", "atexit_sleep_ms=0");
    puts("began");
    return 0;
}
