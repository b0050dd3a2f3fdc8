/* The clean twin of race/crowd.c. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "crowd.h"

static void after_read(int i, int r) { (void)i; (void)r; }
static void after_done(int i, int r) { (void)i; (void)r; }
static void all_over(void) {}
