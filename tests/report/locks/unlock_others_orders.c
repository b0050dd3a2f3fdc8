/* A pthread mutex unlocked by a thread that does not hold it: what that thread did happened before the next lock, besides what the holders before left. */
// race-expect: ^Found 1 misuse\(s\) of locks$
// absent: DATA RACE
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "unlock_others.inc"

static void holds(void) {}
static void next(void) {}
