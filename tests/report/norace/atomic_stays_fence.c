/* The clean twin of race/atomic_stays_fence.c: it comes before the fence. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#define LAST_IS_FENCED true
#include "atomic_stays_fence.h"
