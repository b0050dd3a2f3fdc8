/* A file of suppressions with a type that there is not: the place and what is wrong, before the program begins. */
// race-expect: ^gort: race detector: suppressions: /tmp/gort_suppress_[0-9]+:2: type:pattern is needed, .*: 'races'$
// absent: began
// race-status: 2
#include "suppress_test.h"

int main(int argc, char **argv)
{
    again_with(argc, argv, "# fine\nraces:foo\n", "atexit_sleep_ms=0");
    puts("began");
    return 0;
}
