/* Callbacks of a library's threads race with each other and with whoever submitted them. */
// race-expect: WARNING: DATA RACE
// race-expect: callback\(\)
// race-expect: Found 1 data race\(s\)
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
#include "race_test.h"
#include "plain_pool.h"

static void callback(void *p) { (void)p; x = 1; step(1); }

int main(void)
{
    pool_start(1);
    pool_submit(callback, NULL);
    await(1);
    x = 2;   /* after the submission, before the join */
    pool_stop();
    return 0;
}
