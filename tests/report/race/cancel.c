/* Cancelling a thread orders nothing. This one reports a race while it is to be cancelled, and is so at its next cancellation point, not in the middle of
 * the report. */
// race-expect: WARNING: DATA RACE
// race-expect: by thread
// race-expect: Found 1 data race\(s\)
// race-expect: ^cancelled$
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 10
#include "race_test.h"

static void *changes(void *p)
{
    int state;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    step(1);
    await(2);
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &state);
    x++;
    sink = 1;
    pthread_testcancel();
    abort();
    return p;
}

int main(void)
{
    pthread_t t;
    void *result;
    pthread_create(&t, NULL, changes, NULL);
    await(1);
    pthread_cancel(t);
    x++;
    step(2);
    pthread_join(t, &result);
    puts(result == PTHREAD_CANCELED ? "cancelled" : "not cancelled");
    return 0;
}
