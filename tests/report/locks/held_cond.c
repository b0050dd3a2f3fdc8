/* A mutex that a wait for a condition has given up and taken again is held since the wait, whose place is the program's call. */
// race-expect: ^Previous write at 0x[0-9a-f]+ by goroutine 2:$
// race-expect: ^Main goroutine held no lock$
// race-expect: ^Goroutine 2 held mutex M1 \(0x[0-9a-f]+, m\), locked at:$
// race-expect: ^  waits\(\)$
// race-expect: ^      .*held_cond\.c:19 
// race-expect: ^Found 1 data race\(s\)$
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
#include "race_test.h"

static go_mutex m;
static go_cond c;
static bool ready;

static void waits(void)
{
    go_mutex_lock(&m);
    while (!ready) go_cond_wait(&c, &m);
    x = 1;
    go_mutex_unlock(&m);
    step(1);
}

int main(void)
{
    go(waits);
    go_sleep(10000000);
    go_mutex_lock(&m);
    ready = true;
    go_cond_signal(&c);
    go_mutex_unlock(&m);
    await(1);
    x = 2;
    return 0;
}
