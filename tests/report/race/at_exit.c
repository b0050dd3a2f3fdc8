/* What a function called at the end does is not ordered after what the registering thread did later. */
// race-expect: WARNING: DATA RACE
// race-expect: at_the_end\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static void at_the_end(void) { x++; }
static void *registers(void *p)
{
    atexit(at_the_end);
    x = 1;
    step(1);
    await(2);
    return p;
}

int main(void)
{
    pthread_t t;
    pthread_create(&t, NULL, registers, NULL);
    await(1);
    return 0;
}
