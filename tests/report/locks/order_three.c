/* A cycle of three locks, of three kinds and three goroutines, one of them a thread. */
// race-expect: ^WARNING: lock-order-inversion \(potential deadlock\)$
// race-expect: ^Cycle in lock order graph: M1 \(0x[0-9a-f]+\) => M2 \(0x[0-9a-f]+\) => M3 \(0x[0-9a-f]+\) => M1$
// race-expect: acquired here while holding mutex M1 by
// race-expect: acquired here while holding .* M2 by
// race-expect: acquired here while holding .* M3 by
// race-expect: ^Found 1 lock order inversion\(s\)$
// race-status: 66
#include "race_test.h"

static go_mutex a;
static go_rwmutex b;
static pthread_mutex_t c = PTHREAD_MUTEX_INITIALIZER;
static go_waitgroup wg;

static void one(void)
{
    go_mutex_lock(&a);
    go_rwmutex_lock(&b);
    go_rwmutex_unlock(&b);
    go_mutex_unlock(&a);
    go_waitgroup_done(&wg);
}

static void two(void)
{
    go_rwmutex_rlock(&b);
    pthread_mutex_lock(&c);
    pthread_mutex_unlock(&c);
    go_rwmutex_runlock(&b);
    go_waitgroup_done(&wg);
}

static void *three(void *p)
{
    pthread_mutex_lock(&c);
    go_mutex_lock(&a);
    go_mutex_unlock(&a);
    pthread_mutex_unlock(&c);
    return p;
}

int main(void)
{
    pthread_t t;
    go_waitgroup_add(&wg, 2);
    go(one);
    go(two);
    go_waitgroup_wait(&wg);
    pthread_create(&t, NULL, three, NULL);
    pthread_join(t, NULL);
    return 0;
}
