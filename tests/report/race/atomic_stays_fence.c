/* A read-modify-write that changes nothing, after a fence that publishes the one before: who has learned by the fence has not learned of it. */
// race-expect: WARNING: DATA RACE
// race-expect: rewrites\(\)
// race-expect: Found 1 data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#define LAST_IS_FENCED false
#include "atomic_stays_fence.h"
