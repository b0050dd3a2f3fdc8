/* A read-modify-write that changes nothing is one all the same: of several by one thread, the last may race with who has only learned of the one before. (The
 * variable lies in memory that several threads work on.) */
// race-expect: WARNING: DATA RACE
// race-expect: rewrites\(\)
// race-expect: Found 1 data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#define LEARNS_OF_THE_LAST false
#include "atomic_stays.inc"
