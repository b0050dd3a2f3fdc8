/* What is right: destroying a condition, a barrier or a semaphore as soon as all who waited in it are woken, though they have not gone on yet; after time-outs and
 * cancellation; freeing the memory; many times, by C11's functions too. */
// race-expect: ^all done$
// absent: WARNING|Found
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#define _GNU_SOURCE
#include "race_test.h"
#include <threads.h>
#include <time.h>

enum { ROUNDS = 200, WAITERS = 3 };

static struct shared {
    pthread_mutex_t m;
    pthread_cond_t c;
    int waiting, go;
} *shared;

static void *waits(void *p)
{
    struct shared *s = p;
    pthread_mutex_lock(&s->m);
    s->waiting++;
    while (!s->go)
        pthread_cond_wait(&s->c, &s->m);
    s->waiting--;
    pthread_mutex_unlock(&s->m);
    return NULL;
}

/* POSIX's own example: broadcast, unlock, destroy; the mutex lives until all have gone on. */
static void conditions(void)
{
    for (int i = 0; i < ROUNDS; i++) {
        pthread_t t[WAITERS];
        shared = calloc(1, sizeof *shared);
        for (int k = 0; k < WAITERS; k++)
            pthread_create(&t[k], NULL, waits, shared);
        for (bool all = false; !all;) {
            pthread_mutex_lock(&shared->m);
            all = shared->waiting == WAITERS;
            shared->go = all;
            if (all && i % 2)
                pthread_cond_broadcast(&shared->c);
            else if (all)
                for (int k = 0; k < WAITERS; k++)
                    pthread_cond_signal(&shared->c);
            if (all && i % 3)
                pthread_mutex_unlock(&shared->m);
            if (all)
                pthread_cond_destroy(&shared->c);
            if (!all || i % 3 == 0)
                pthread_mutex_unlock(&shared->m);
        }
        for (int k = 0; k < WAITERS; k++)
            pthread_join(t[k], NULL);
        free(shared);
    }
}

static cnd_t cnd;
static mtx_t mtx;
static void *times_out(void *p)
{
    struct timespec until;
    pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t c = PTHREAD_COND_INITIALIZER;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec = (until.tv_nsec + 1000000) % 1000000000;
    pthread_mutex_lock(&m);
    pthread_cond_timedwait(&c, &m, &until);
    pthread_mutex_unlock(&m);
    pthread_cond_destroy(&c);
    sem_t s;
    sem_init(&s, 0, 0);
    sem_timedwait(&s, &until);
    sem_destroy(&s);
    mtx_lock(&mtx);
    cnd_timedwait(&cnd, &mtx, &until);
    mtx_unlock(&mtx);
    return p;
}

static void unlocks(void *m)
{
    pthread_mutex_unlock(m);
}

static void *is_cancelled(void *p)
{
    pthread_mutex_t *m = p;
    pthread_mutex_lock(m);
    pthread_cleanup_push(unlocks, m);
    step(1);
    for (;;)
        pthread_cond_wait((pthread_cond_t *)(m + 1), m);
    pthread_cleanup_pop(1);
    return NULL;
}

static sem_t sem;
static void *is_cancelled_in_sem(void *p)
{
    step(2);
    sem_wait(&sem);
    return p;
}

static void left(void)
{
    pthread_t t[WAITERS];
    cnd_init(&cnd);
    mtx_init(&mtx, mtx_plain);
    for (int k = 0; k < WAITERS; k++)
        pthread_create(&t[k], NULL, times_out, NULL);
    for (int k = 0; k < WAITERS; k++)
        pthread_join(t[k], NULL);
    cnd_destroy(&cnd);
    mtx_destroy(&mtx);
    struct { pthread_mutex_t m; pthread_cond_t c; } *pair = calloc(1, sizeof *pair);
    pthread_create(&t[0], NULL, is_cancelled, pair);
    await(1);
    pthread_cancel(t[0]);
    pthread_join(t[0], NULL);
    pthread_cond_destroy(&pair->c);
    free(pair);
    sem_init(&sem, 0, 0);
    pthread_create(&t[0], NULL, is_cancelled_in_sem, NULL);
    await(2);
    usleep(20000);
    pthread_cancel(t[0]);
    pthread_join(t[0], NULL);
    sem_destroy(&sem);
}

static pthread_barrier_t barrier;
static void *meets(void *p)
{
    sem_t *done = p;
    for (int i = 0; i < 50; i++)
        pthread_barrier_wait(&barrier);
    sem_post(done);
    return NULL;
}

/* The first to return destroys. */
static void *meets_once(void *p)
{
    pthread_barrier_t *b = p;
    if (pthread_barrier_wait(b) == PTHREAD_BARRIER_SERIAL_THREAD)
        pthread_barrier_destroy(b);
    return NULL;
}

static void barriers(void)
{
    for (int i = 0; i < ROUNDS / 4; i++) {
        pthread_t t[WAITERS];
        sem_t done;
        sem_init(&done, 0, 0);
        pthread_barrier_init(&barrier, NULL, WAITERS);
        for (int k = 0; k < WAITERS; k++)
            pthread_create(&t[k], NULL, meets, &done);
        for (int k = 0; k < WAITERS; k++)
            sem_wait(&done);
        pthread_barrier_destroy(&barrier);
        sem_destroy(&done);
        for (int k = 0; k < WAITERS; k++)
            pthread_join(t[k], NULL);
        pthread_barrier_t once;
        pthread_barrier_init(&once, NULL, WAITERS);
        for (int k = 0; k < WAITERS; k++)
            pthread_create(&t[k], NULL, meets_once, &once);
        for (int k = 0; k < WAITERS; k++)
            pthread_join(t[k], NULL);
    }
}

int main(void)
{
    conditions();
    left();
    barriers();
    puts("all done");
    return 0;
}
