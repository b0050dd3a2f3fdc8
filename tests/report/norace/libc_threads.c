/* The clean twin of race/libc_threads.c: what precedes the call that asks for it happens before what libc calls in a thread of its own. */
// expect: called 4
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"
#define BEFORE(variable) variable = 1
#define AFTER(variable)
#include "../libc_threads.inc"
