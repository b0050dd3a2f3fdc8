/* The clean twin of race/strings.c: a channel orders the two. */
// expect: all done$
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
#include "fortify.inc"
#include "strings.inc"
#include "used_in_order.inc"
