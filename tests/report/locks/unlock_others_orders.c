/* A pthread mutex unlocked by a thread that does not hold it: what that thread did happened before the next lock, besides what the holders before left. */
// race-expect: ^Found 1 misuse\(s\) of locks$
// absent: DATA RACE
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static int y;
static void *holder(void *p)
{
    pthread_mutex_lock(&m);
    y = 1;
    pthread_mutex_unlock(&m);
    pthread_mutex_lock(&m);
    step(1);
    await(4);
    return p;
}
static void *unlocker(void *p)
{
    await(1);
    x = 1;
    pthread_mutex_unlock(&m);
    step(2);
    return p;
}

int main(void)
{
    pthread_t t, u;
    pthread_create(&t, NULL, holder, NULL);
    pthread_create(&u, NULL, unlocker, NULL);
    await(2);
    pthread_mutex_lock(&m);
    x = 2;
    y = 2;
    pthread_mutex_unlock(&m);
    step(4);
    pthread_join(t, NULL);
    pthread_join(u, NULL);
    return 0;
}
