/* Locking again what one holds is told before the thread waits for itself. */
// race-expect: ^WARNING: double lock of a mutex$
// race-expect: ^Locked again by thread T[0-9]+:$
// race-expect: ^  again\(\)$
// race-expect: ^The lock is mutex M1 \(0x[0-9a-f]+, m\), locked by thread T[0-9]+ at:$
// race-expect: ^  again\(\)$
// race-expect: ^Found 1 misuse\(s\) of locks$
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
#include "race_test.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void *again(void *p)
{
    pthread_mutex_lock(&gate);
    pthread_mutex_lock(&m);
    step(1);
    pthread_mutex_lock(&m);
    return p;
}

int main(void)
{
    pthread_t t;
    pthread_create(&t, NULL, again, NULL);
    await(1);
    while (go_race_errors() == 0)
        usleep(1000);
    return 0;
}
