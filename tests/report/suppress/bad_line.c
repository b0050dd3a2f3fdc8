/* A file of suppressions with a line without a colon: the place and what is wrong, before the program begins. */
// race-expect: ^gort: race detector: suppressions: /tmp/gort_suppress_[0-9]+:2: type:pattern is needed, of type race, race_top, mutex, deadlock or called_from_lib: 'race foo'$
// absent: began
// race-status: 2
#include "suppress_test.h"

int main(int argc, char **argv)
{
    again_with(argc, argv, "# fine\nrace foo\n", "atexit_sleep_ms=0");
    puts("began");
    return 0;
}
