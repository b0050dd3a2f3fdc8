/* Each of libc's memory and string functions accesses the memory of its arguments: all of these were written by another goroutine, and nothing
 * orders the two. One report for each line below. */
// race-expect: WARNING: DATA RACE
// race-expect: Found 81 data race\(s\)
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
#include "fortify.inc"
#include "strings.inc"
#include "used_without_order.inc"
