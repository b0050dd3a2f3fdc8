/* Locking what was destroyed. Destroyed and initialized again it is a lock like any other. */
// race-expect: ^WARNING: use of an invalid mutex \(e\.g\. uninitialized or destroyed\)$
// race-expect: ^Locked by main goroutine:$
// race-expect: > err = pthread_mutex_lock\(&m\);
// race-expect: ^The lock is mutex M1 \(0x[0-9a-f]+, m\)$
// race-expect: ^WARNING: use of an invalid mutex \(e\.g\. uninitialized or destroyed\)$
// race-expect: ^The lock is mutex M1 \(0x[0-9a-f]+, c11\)$
// race-expect: ^refused
// race-expect: ^Found 2 misuse\(s\) of locks$
// race-status: 66
#include "race_test.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static mtx_t c11;

int main(void)
{
    pthread_mutex_lock(&m);
    pthread_mutex_unlock(&m);
    pthread_mutex_destroy(&m);
    int err;
    err = pthread_mutex_lock(&m);
    mtx_init(&c11, mtx_plain);
    mtx_destroy(&c11);
    int err_c11 = mtx_lock(&c11);
    printf("%s\n", err != 0 && err_c11 != thrd_success ? "refused" : "locked");
    fflush(stdout);
    pthread_mutex_init(&m, NULL);
    pthread_mutex_lock(&m);
    pthread_mutex_unlock(&m);
    pthread_mutex_destroy(&m);
    m = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&m);
    pthread_mutex_unlock(&m);
    return 0;
}
