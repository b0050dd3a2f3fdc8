/* The locks of both sides, with the places where they were taken; the previous one's exactly as it was then, however many locks it has taken since. */
// race-expect: ^WARNING: DATA RACE$
// race-expect: ^Global var x of size 4 at 0x[0-9a-f]+ declared at .*race_test.h:[0-9]+$
// race-expect: ^Main goroutine held mutex M1 \(0x[0-9a-f]+, locks\[2\]\), locked at:$
// race-expect: ^  take\(\)$
// race-expect: ^  main\(\)$
// race-expect: ^Goroutine 2 held rwmutex \(for reading\) M2 \(0x[0-9a-f]+, shared\), locked at:$
// race-expect: ^  racy\(\)$
// race-expect: ^Goroutine 2 held mutex M3 \(0x[0-9a-f]+, locks\[1\]\), locked at:$
// race-expect: ^  racy\(\)$
// race-expect: ^Goroutine 2 \((running|finished)\) created at:$
// race-expect: ^Hint: the two sides hold different locks
// absent: locks\[0\]|Found [2-9]
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
#include "race_test.h"

static go_mutex locks[3];
static go_rwmutex shared;

static __attribute__((noinline)) void take(go_mutex *m) { go_mutex_lock(m); }

static void racy(void)
{
    go_mutex_lock(&locks[0]);
    go_rwmutex_rlock(&shared);
    go_mutex_lock(&locks[1]);
    go_mutex_unlock(&locks[0]);
    x = 1;
    go_mutex_unlock(&locks[1]);
    go_rwmutex_runlock(&shared);
    for (int i = 0; i < 500; i++) {
        go_mutex_lock(&locks[0]);
        go_mutex_unlock(&locks[0]);
    }
    step(1);
}

int main(void)
{
    go(racy);
    await(1);
    take(&locks[2]);
    x = 2;
    go_mutex_unlock(&locks[2]);
    return 0;
}
