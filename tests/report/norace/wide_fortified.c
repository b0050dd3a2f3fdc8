/* The clean twin of race/wide_fortified.c. */
// expect: all done$
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
#define FORTIFY
#include "norace/wide.c"
