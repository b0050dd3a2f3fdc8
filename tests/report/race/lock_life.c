/* Whoever initializes, destroys, frees or overwrites a lock, a condition or a barrier without being ordered with all who use it. */
// race-expect: WARNING: DATA RACE
// race-expect: ^Write at 0x
// race-expect: init_late\(\)
// race-expect: > pthread_mutex_init
// race-expect: ^Previous read at 0x
// race-expect: locks\(\)
// race-expect: > pthread_mutex_lock
// race-expect: Hint: it is initialized while others may use it already
// race-expect: Hint: it is initialized while others may use it already
// race-expect: Hint: it is destroyed while others may still use it
// race-expect: Hint: the block is freed while a lock in it may still be used
// race-expect: Hint: its memory is written while others may use it
// race-expect: Hint: its memory is written while others may use it
// race-expect: first_reader\(\)
// race-expect: Found 18 data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static pthread_mutex_t mutex;
static void *locks(void *m)
{
    pthread_mutex_lock(m);
    pthread_mutex_unlock(m);
    step(1);
    return NULL;
}
static void *locks_late(void *m)
{
    await(1);
    pthread_mutex_lock(m);
    pthread_mutex_unlock(m);
    return NULL;
}

static void begin(pthread_t *t, void *(*fn)(void *), void *arg)
{
    step(0);
    pthread_create(t, NULL, fn, arg);
}

static void init_late(void)
{
    pthread_t t;
    begin(&t, locks, &mutex);
    await(1);
    pthread_mutex_init(&mutex, NULL);
    pthread_join(t, NULL);
}

static void init_early(void)
{
    static pthread_mutex_t m;
    pthread_t t;
    begin(&t, locks_late, &m);
    pthread_mutex_init(&m, NULL);
    step(1);
    pthread_join(t, NULL);
}

static void destroy(void)
{
    static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
    pthread_t t;
    begin(&t, locks, &m);
    await(1);
    pthread_mutex_destroy(&m);
    pthread_join(t, NULL);
}

static void *locks_go(void *m)
{
    go_mutex_lock(m);
    go_mutex_unlock(m);
    step(1);
    return NULL;
}

/* The first use is ordered with the free, the second is not. */
static sem_t once;
static void *locks_twice(void *m)
{
    for (int i = 0; i < 2; i++) {
        go_mutex_lock(m);
        go_mutex_unlock(m);
        if (i == 0)
            sem_post(&once);
    }
    step(1);
    return NULL;
}

static void freed(void)
{
    go_mutex *m = malloc(100);
    *m = (go_mutex)GO_MUTEX_INIT;
    pthread_t t;
    sem_init(&once, 0, 0);
    begin(&t, locks_twice, m);
    sem_wait(&once);
    await(1);
    free(m);
    pthread_join(t, NULL);
}

static void *locks_go_late(void *m) { await(1); return locks_go(m); }

static go_mutex over[2];
static void overwritten(void)
{
    pthread_t t;
    begin(&t, locks_go, &over[0]);
    await(1);
    over[0] = (go_mutex)GO_MUTEX_INIT;
    pthread_join(t, NULL);
    begin(&t, locks_go_late, &over[1]);
    memset(&over[1], 0, sizeof over[1]);
    step(1);
    pthread_join(t, NULL);
}

static pthread_rwlock_t readers = PTHREAD_RWLOCK_INITIALIZER;
static void *first_reader(void *l)
{
    pthread_rwlock_rdlock(l);
    pthread_rwlock_unlock(l);
    step(1);
    return NULL;
}
static void *second_reader(void *l)
{
    await(1);
    pthread_rwlock_rdlock(l);
    pthread_rwlock_unlock(l);
    return NULL;
}

/* The last one that used it is ordered, the one before is not. */
static void rwlock(void)
{
    pthread_t t, u;
    begin(&t, first_reader, &readers);
    pthread_create(&u, NULL, second_reader, &readers);
    pthread_join(u, NULL);
    pthread_rwlock_destroy(&readers);
    pthread_join(t, NULL);
}

static void *go_reader(void *rw)
{
    go_rwmutex_rlock(rw);
    go_rwmutex_runlock(rw);
    step(1);
    return NULL;
}
static void *go_writer(void *rw)
{
    go_rwmutex_lock(rw);
    go_rwmutex_unlock(rw);
    step(1);
    return NULL;
}
static void rwmutex(void)
{
    pthread_t t;
    go_rwmutex *rw = calloc(2, sizeof *rw);
    begin(&t, go_reader, &rw[0]);
    await(1);
    rw[0] = (go_rwmutex)GO_RWMUTEX_INIT;
    pthread_join(t, NULL);
    begin(&t, go_writer, &rw[1]);
    await(1);
    free(rw);
    pthread_join(t, NULL);
}

/* The unlock is not ordered, though what precedes it is. */
static void *posts_before_unlock(void *m)
{
    pthread_mutex_lock(m);
    sem_post(&once);
    pthread_mutex_unlock(m);
    step(1);
    return NULL;
}
static void unlock(void)
{
    static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
    pthread_t t;
    begin(&t, posts_before_unlock, &m);
    sem_wait(&once);
    await(1);
    pthread_mutex_destroy(&m);
    pthread_join(t, NULL);
}

static void *spins(void *l)
{
    pthread_spin_lock(l);
    pthread_spin_unlock(l);
    step(1);
    return NULL;
}
static void spin(void)
{
    static pthread_spinlock_t l;
    pthread_t t;
    pthread_spin_init(&l, 0);
    begin(&t, spins, (void *)&l);
    await(1);
    pthread_spin_destroy(&l);
    pthread_join(t, NULL);
}

static void *tries(void *m)
{
    if (pthread_mutex_trylock(m) == 0)
        pthread_mutex_unlock(m);
    step(1);
    return NULL;
}
static void try(void)
{
    static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
    pthread_t t;
    begin(&t, tries, &m);
    await(1);
    pthread_mutex_destroy(&m);
    pthread_join(t, NULL);
}

static void *locks_c11(void *m)
{
    mtx_lock(m);
    mtx_unlock(m);
    step(1);
    return NULL;
}
static void c11(void)
{
    static mtx_t m;
    pthread_t t;
    mtx_init(&m, mtx_plain);
    begin(&t, locks_c11, &m);
    await(1);
    mtx_destroy(&m);
    pthread_join(t, NULL);
}

/* Signals when it has unlocked already. */
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static void *signals(void *m)
{
    pthread_mutex_lock(m);
    x = 1;
    pthread_mutex_unlock(m);
    pthread_cond_signal(&cond);
    step(1);
    return NULL;
}
static void condition(void)
{
    static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
    pthread_t t;
    begin(&t, signals, &m);
    pthread_mutex_lock(&m);
    while (!x) {
        pthread_mutex_unlock(&m);
        usleep(100);
        pthread_mutex_lock(&m);
    }
    pthread_mutex_unlock(&m);
    await(1);
    pthread_cond_destroy(&cond);
    pthread_join(t, NULL);
}
static void condition_init(void)
{
    static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
    pthread_t t;
    begin(&t, signals, &m);
    await(1);
    pthread_cond_init(&cond, NULL);
    pthread_join(t, NULL);
}
static cnd_t c11_cond;
static void *signals_c11(void *c) { cnd_broadcast(c); step(1); return NULL; }
static void condition_c11(void)
{
    pthread_t t;
    cnd_init(&c11_cond);
    begin(&t, signals_c11, &c11_cond);
    await(1);
    cnd_destroy(&c11_cond);
    pthread_join(t, NULL);
}

static void *passes(void *b) { pthread_barrier_wait(b); step(1); return NULL; }
static void barrier(void)
{
    static pthread_barrier_t b;
    pthread_t t;
    pthread_barrier_init(&b, NULL, 1);
    begin(&t, passes, &b);
    await(1);
    pthread_barrier_destroy(&b);
    pthread_join(t, NULL);
    begin(&t, passes, &b);
    pthread_barrier_init(&b, NULL, 1);
    pthread_join(t, NULL);
}

int main(void)
{
    init_late();
    init_early();
    destroy();
    freed();
    overwritten();
    rwlock();
    rwmutex();
    unlock();
    spin();
    try();
    c11();
    condition();
    condition_init();
    condition_c11();
    barrier();
    return 0;
}
