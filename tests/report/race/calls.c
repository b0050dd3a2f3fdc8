/* Functions of libc access the memory of its arguments: all of these were written by another goroutine, and nothing orders the two. One
 * report for each line of use(). */
// race-expect: WARNING: DATA RACE
// race-expect: Found 195 data race\(s\)
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
#include "fortify.inc"
#include "calls.inc"
#include "used_without_order.inc"
