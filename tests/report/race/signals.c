/* A handler is part of the goroutine that it interrupts: what it does races with others. */
// race-expect: WARNING: DATA RACE
// race-expect: on_signal\(\)
// race-expect: Found 1 data race\(s\)
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
#include "race_test.h"
#include <signal.h>

static void on_signal(int s) { x = s; }
static void racy(void) { x = 1; step(1); }

int main(void)
{
    signal(SIGUSR1, on_signal);
    go(racy);
    await(1);
    raise(SIGUSR1);
    return 0;
}
