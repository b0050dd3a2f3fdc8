/* As race/calls.c, through the checked functions of _FORTIFY_SOURCE: the header calls them, and several calls in one line of it are one report. */
// race-expect: WARNING: DATA RACE
// race-expect: Found 1(9[0-5]|8[2-9]) data race\(s\)
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
#define FORTIFY
#include "race/calls.c"
