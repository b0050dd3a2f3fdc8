/* The clean twin of race/calls_fortified.c. */
// expect: all done$
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
#define FORTIFY
#include "norace/calls.c"
