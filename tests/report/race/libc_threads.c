/* What follows the call that asks for it is not ordered with what libc calls in a thread of its own: the function of a timer, of an asynchronous read, of a
 * message queue. */
// race-expect: WARNING: DATA RACE
// race-expect: Found 4 data race\(s\)
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"
#define BEFORE(variable)
#define AFTER(variable) variable = 1
#include "../libc_threads.inc"
