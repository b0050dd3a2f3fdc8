/* A pthread mutex unlocked by a thread that does not hold it: what the holder did since it locked is not ordered before the next lock. */
// race-expect: DATA RACE
// race-expect: ^Found 1 data race\(s\)$
// race-expect: ^Found 1 misuse\(s\) of locks$
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "unlock_others.inc"

int held;
static void holds(void) { held = 1; }
static void next(void) { held = 2; }
