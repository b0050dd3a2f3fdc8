/* The clean twin of race/strings_fortified.c. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
#define FORTIFY
#include "norace/strings.c"
