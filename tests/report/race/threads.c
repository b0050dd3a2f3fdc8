/* What POSIX threads do not order: each of these two accesses is behind synchronization that does not reach the other. */
// race-expect: WARNING: DATA RACE
// race-expect: Found 9 data race\(s\)
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#define _GNU_SOURCE
#include "race_test.h"
#include <threads.h>

int a, b, c, d, e, f, g, h, i;   /* not static: see x in race_test.h */
static pthread_mutex_t m1 = PTHREAD_MUTEX_INITIALIZER, m2 = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t s1, s2;
static sem_t sem;
static pthread_barrier_t barrier;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;

static void *other(void *p)
{
    pthread_mutex_lock(&m1);
    a = 1;   /* another mutex */
    pthread_mutex_unlock(&m1);
    pthread_rwlock_rdlock(&rw);
    b = 1;   /* a reader's lock */
    pthread_rwlock_unlock(&rw);
    pthread_spin_lock(&s1);
    c = 1;
    pthread_spin_unlock(&s1);
    sem_post(&sem);
    d = 1;   /* after the post */
    pthread_cond_broadcast(&cond);
    e = 1;   /* a signal that nobody waited for */
    step(1);
    await(2);
    pthread_barrier_wait(&barrier);
    f = 1;   /* between two rounds of a barrier */
    step(3);
    pthread_barrier_wait(&barrier);
    pthread_mutex_lock(&m2);
    g = 1;   /* main's trylock fails */
    step(4);
    await(5);
    pthread_mutex_unlock(&m2);
    return p;
}

static int c11(void *p) { h = 1; step(6); (void)p; return 0; }
static void *detached(void *p) { i = 1; step(7); return p; }

int main(void)
{
    pthread_t t;
    thrd_t t11;
    pthread_spin_init(&s1, 0);
    pthread_spin_init(&s2, 0);
    sem_init(&sem, 0, 0);
    pthread_barrier_init(&barrier, NULL, 2);
    pthread_create(&t, NULL, other, NULL);
    await(1);
    pthread_mutex_lock(&m2);
    a = 2;
    pthread_mutex_unlock(&m2);
    pthread_rwlock_rdlock(&rw);
    b = 2;
    pthread_rwlock_unlock(&rw);
    pthread_spin_lock(&s2);
    c = 2;
    pthread_spin_unlock(&s2);
    sem_wait(&sem);
    d = 2;
    pthread_cond_signal(&cond);
    e = 2;
    step(2);
    pthread_barrier_wait(&barrier);
    await(3);
    f = 2;
    pthread_barrier_wait(&barrier);
    await(4);
    if (pthread_mutex_trylock(&m2) == 0)
        abort();
    g = 2;
    step(5);
    pthread_join(t, NULL);
    thrd_create(&t11, c11, NULL);
    await(6);
    h = 2;
    thrd_join(t11, NULL);
    pthread_create(&t, NULL, detached, NULL);
    pthread_detach(t);
    await(7);
    i = 2;
    return 0;
}
