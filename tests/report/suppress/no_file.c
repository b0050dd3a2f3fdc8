/* A file of suppressions that is not there. */
// race-expect: ^gort: race detector: suppressions: can't read /tmp/gort_suppress_[0-9]+: No such file or directory$
// absent: began
// race-status: 2
#include "suppress_test.h"

int main(int argc, char **argv)
{
    again_with(argc, argv, NULL, "atexit_sleep_ms=0");
    puts("began");
    return 0;
}
