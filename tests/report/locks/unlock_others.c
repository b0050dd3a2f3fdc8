/* A pthread mutex unlocked by a thread that does not hold it. */
// race-expect: ^WARNING: unlock of an unlocked mutex \(or by a wrong thread\)$
// race-expect: ^Unlocked by main goroutine:$
// race-expect: ^  main\(\)$
// race-expect: ^The lock is mutex M1 \(0x[0-9a-f]+, m\), locked by thread T[0-9]+ at:$
// race-expect: ^  holder\(\)$
// race-expect: ^Found 1 misuse\(s\) of locks$
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
#include "race_test.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static void *holder(void *p) { pthread_mutex_lock(&m); step(1); await(2); return p; }

int main(void)
{
    pthread_t t;
    pthread_create(&t, NULL, holder, NULL);
    await(1);
    pthread_mutex_unlock(&m);
    step(2);
    pthread_join(t, NULL);
    return 0;
}
