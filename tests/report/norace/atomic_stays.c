/* The clean twin of race/atomic_stays.c: the last one is learned of. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#define LEARNS_OF_THE_LAST true
#include "atomic_stays.inc"
