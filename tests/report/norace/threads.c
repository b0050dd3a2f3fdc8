/* What POSIX and C11 threads order: every way of joining, destructors of thread-local data, locks with time limits, read-write locks, spin locks, once,
 * barriers, semaphores, conditions, a join of main itself. */
// expect: all done
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#define _GNU_SOURCE
#include "race_test.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <threads.h>
#include <time.h>

static struct timespec later(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_sec += 60;
    return t;
}

/* ---- the end of a thread ---- */

static pthread_key_t key;
static int from_destructor, rounds;
static void *result;
static void destructor(void *p)
{
    from_destructor = *(int *)p;
    if (++rounds < 3)
        pthread_setspecific(key, p);   /* comes again */
    else
        free(p);
}
static void *with_key(void *p)
{
    int *value = malloc(sizeof *value);
    *value = 5;
    pthread_setspecific(key, value);
    return p;
}
static void *sets_x(void *p) { x++; return p; }
static void *exits(void *p) { x++; pthread_exit(p); }
static int c11_sets_x(void *p) { x++; (void)p; return 77; }
static int c11_exits(void *p) { x++; (void)p; thrd_exit(78); }

/* The mask that the attributes say, or else the default ones, or else that of the maker. */
static void *own_mask(void *p) { pthread_sigmask(SIG_SETMASK, NULL, p); return p; }
static int blocked_in_new(const pthread_attr_t *attr)
{
    pthread_t t;
    sigset_t its;
    pthread_create(&t, attr, own_mask, &its);
    pthread_join(t, NULL);
    return sigismember(&its, SIGUSR1) + 2 * sigismember(&its, SIGUSR2);
}

static void masks(void)
{
    if (blocked_in_new(NULL) != 0)
        abort();
#if __GLIBC_PREREQ(2, 32)
    pthread_attr_t attr, usual;
    sigset_t one, other;
    sigemptyset(&one);
    sigaddset(&one, SIGUSR1);
    sigemptyset(&other);
    sigaddset(&other, SIGUSR2);
    pthread_attr_init(&attr);
    pthread_attr_setsigmask_np(&attr, &one);
    pthread_getattr_default_np(&usual);
    pthread_attr_setsigmask_np(&usual, &other);
    pthread_setattr_default_np(&usual);
    if (blocked_in_new(&attr) != 1 || blocked_in_new(NULL) != 2)
        abort();
    pthread_attr_setsigmask_np(&usual, NULL);
    pthread_setattr_default_np(&usual);
    pthread_attr_destroy(&usual);
    pthread_attr_destroy(&attr);
#endif
    if (blocked_in_new(NULL) != 0)
        abort();
}

static void joins(void)
{
    pthread_t t;
    struct timespec limit = later();
    pthread_key_create(&key, destructor);
    pthread_create(&t, NULL, with_key, NULL);
    pthread_join(t, NULL);
    if (from_destructor++ != 5 || rounds++ != 3)
        abort();
    pthread_create(&t, NULL, sets_x, NULL);
    while (pthread_tryjoin_np(t, &result) == EBUSY)
        usleep(1000);
    x++;
    pthread_create(&t, NULL, exits, NULL);
    pthread_timedjoin_np(t, &result, &limit);
    x++;
    pthread_create(&t, NULL, exits, NULL);
    pthread_clockjoin_np(t, &result, CLOCK_REALTIME, &limit);
    x++;
    thrd_t c;
    int r;
    thrd_create(&c, c11_sets_x, NULL);
    if (thrd_join(c, &r) != thrd_success || r++ != 77)
        abort();
    x++;
    thrd_create(&c, c11_exits, NULL);
    if (thrd_join(c, &r) != thrd_success || r++ != 78)
        abort();
    x++;
    for (int i = 0; i < 200; i++) {   /* identities and stacks are used again */
        pthread_create(&t, NULL, sets_x, &r);
        pthread_join(t, NULL);
        x++;
    }
}

/* An identity is another thread's as soon as its thread is joined, before its joiner goes on. */
static void *writes(void *p) { *(int *)p = 1; return p; }
static void *makes_others(void *p)
{
    for (int i = 0; i < 1500; i++) {
        pthread_t t;
        int local = 0;
        pthread_create(&t, NULL, writes, &local);
        if (i % 3 == 0)
            while (pthread_tryjoin_np(t, NULL) == EBUSY) sched_yield();
        else
            pthread_join(t, NULL);
        local++;
    }
    return p;
}

/* ---- detached ---- */

static sem_t sem;
static void *posts(void *p) { x++; sem_post(&sem); return p; }
static void *detaches(void *p) { pthread_detach(pthread_self()); x++; sem_post(&sem); return p; }
static int c11_posts(void *p) { (void)p; x++; sem_post(&sem); return 0; }
static void detached(void)
{
    pthread_attr_t attr;
    pthread_t t;
    thrd_t c;
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    sem_init(&sem, 0, 0);
    for (int i = 0; i < 100; i++) {
        pthread_create(&t, &attr, posts, NULL);
        sem_wait(&sem);
        x++;
        pthread_create(&t, NULL, posts, NULL);
        pthread_detach(t);
        while (sem_trywait(&sem) != 0)
            usleep(100);
        x++;
        struct timespec limit = later();
        pthread_create(&t, NULL, detaches, NULL);
        sem_timedwait(&sem, &limit);
        x++;
        thrd_create(&c, c11_posts, NULL);
        thrd_detach(c);
        sem_clockwait(&sem, CLOCK_REALTIME, &limit);
        x++;
    }
    sem_destroy(&sem);
    sem_t *named = sem_open("/gort-norace-threads", O_CREAT | O_EXCL, 0600, 0);
    if (named != SEM_FAILED) {
        sem_unlink("/gort-norace-threads");
        sem_post(named);
        sem_wait(named);
        sem_close(named);
    }
}

/* ---- locks ---- */

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER, recursive, robust;
static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t spin;
static mtx_t mtx;
static int y, z, under_robust;
static void *locks(void *p)
{
    struct timespec limit = later();
    for (int i = 0; i < 300; i++) {
        switch (i % 4) {
        case 0: pthread_mutex_lock(&m); break;
        case 1: while (pthread_mutex_trylock(&m) != 0) sched_yield(); break;
        case 2: pthread_mutex_timedlock(&m, &limit); break;
        case 3: pthread_mutex_clocklock(&m, CLOCK_REALTIME, &limit); break;
        }
        y++;
        pthread_mutex_unlock(&m);
        pthread_mutex_lock(&recursive);
        pthread_mutex_lock(&recursive);
        z++;
        pthread_mutex_unlock(&recursive);
        z++;
        pthread_mutex_unlock(&recursive);
        pthread_spin_lock(&spin);
        x++;
        pthread_spin_unlock(&spin);
        if (i % 3 == 0)
            mtx_lock(&mtx);
        else if (i % 3 == 1)
            while (mtx_trylock(&mtx) != thrd_success) sched_yield();
        else
            mtx_timedlock(&mtx, &limit);
        sink++;
        mtx_unlock(&mtx);
    }
    return p;
}
static int cached;
static void *reads_and_writes(void *p)
{
    struct timespec limit = later();
    int seen = 0;
    for (int i = 0; i < 300; i++) {
        switch (i % 10) {
        case 0: pthread_rwlock_wrlock(&rw); cached++; break;
        case 1: if (pthread_rwlock_trywrlock(&rw) != 0) continue; cached++; break;
        case 2: pthread_rwlock_timedwrlock(&rw, &limit); cached++; break;
        case 3: pthread_rwlock_clockwrlock(&rw, CLOCK_REALTIME, &limit); cached++; break;
        case 4: if (pthread_rwlock_tryrdlock(&rw) != 0) continue; seen += cached; break;
        case 5: pthread_rwlock_timedrdlock(&rw, &limit); seen += cached; break;
        case 6: pthread_rwlock_clockrdlock(&rw, CLOCK_REALTIME, &limit); seen += cached; break;
        default: pthread_rwlock_rdlock(&rw); seen += cached;
        }
        pthread_rwlock_unlock(&rw);
    }
    return seen < 0 ? p : NULL;
}
static void *dies_with_it(void *p) { pthread_mutex_lock(&robust); under_robust = 1; return p; }

static void four(void *(*fn)(void *))
{
    pthread_t t[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&t[i], NULL, fn, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
}

static void locking(void)
{
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&recursive, &attr);
    pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
    mtx_init(&mtx, mtx_timed);
    four(locks);
    four(reads_and_writes);
    pthread_mutex_destroy(&recursive);
    pthread_spin_destroy(&spin);
    mtx_destroy(&mtx);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_NORMAL);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&robust, &attr);
    pthread_t t;
    pthread_create(&t, NULL, dies_with_it, NULL);
    while (pthread_mutex_lock(&robust) != EOWNERDEAD) {
        pthread_mutex_unlock(&robust);
        usleep(1000);
    }
    under_robust++;   /* ordered by the lock alone: not joined yet */
    pthread_mutex_consistent(&robust);
    pthread_mutex_unlock(&robust);
    pthread_join(t, NULL);
}

/* ---- once, conditions, barriers ---- */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static once_flag once11 = ONCE_FLAG_INIT;
static int made, made11;
static void make(void) { made = 1; }
static void make11(void) { made11 = 1; }
static void *calls_once(void *p)
{
    pthread_once(&once, make);
    call_once(&once11, make11);
    return made + made11 == 2 ? p : NULL;
}

static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static cnd_t cnd;
static int turn, turn11;
static void *takes_turns(void *p)
{
    int me = (int)(intptr_t)p;
    for (int i = 0; i < 50; i++) {
        struct timespec limit = later();
        pthread_mutex_lock(&m);
        while (turn % 3 != me) {
            if (me == 0)
                pthread_cond_wait(&cond, &m);
            else if (me == 1)
                pthread_cond_timedwait(&cond, &m, &limit);
            else
                pthread_cond_clockwait(&cond, &m, CLOCK_REALTIME, &limit);
        }
        turn++;
        pthread_cond_broadcast(&cond);
        pthread_mutex_unlock(&m);
        mtx_lock(&mtx);
        while (turn11 % 3 != me) {
            if (me == 0)
                cnd_wait(&cnd, &mtx);
            else
                cnd_timedwait(&cnd, &mtx, &limit);
        }
        turn11++;
        cnd_broadcast(&cnd);
        mtx_unlock(&mtx);
    }
    return NULL;
}

/* A cancelled wait: the clean-up has the mutex. */
static int cleaned;
static void clean_up(void *p) { cleaned++; pthread_mutex_unlock(p); }
static void *waits_for_ever(void *p)
{
    pthread_mutex_lock(&m);
    cleaned++;
    pthread_cleanup_push(clean_up, &m);
    for (;;)
        pthread_cond_wait(&cond, &m);
    pthread_cleanup_pop(1);
    return p;
}

static pthread_barrier_t barrier;
static int cells[4], round_sum;
static void *steps(void *p)
{
    int me = (int)(intptr_t)p, sum = 0;
    for (int i = 0; i < 100; i++) {
        cells[me] = i;
        int last = pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD;
        for (int k = 0; k < 4; k++)
            sum += cells[k];
        if (last)
            round_sum++;
        pthread_barrier_wait(&barrier);
    }
    return sum < 0 ? p : NULL;
}

static void meeting(void)
{
    four(makes_others);
    four(calls_once);
    pthread_t t[4];
    mtx_init(&mtx, mtx_plain);
    cnd_init(&cnd);
    for (int i = 0; i < 3; i++)
        pthread_create(&t[i], NULL, takes_turns, (void *)(intptr_t)i);
    for (int i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
    pthread_create(&t[0], NULL, waits_for_ever, NULL);
    for (int there = 0; !there; usleep(1000)) {
        pthread_mutex_lock(&m);
        there = cleaned;
        pthread_mutex_unlock(&m);
    }
    pthread_cancel(t[0]);
    for (int there = 0; !there; usleep(1000)) {   /* ordered by the mutex, before the join */
        pthread_mutex_lock(&m);
        there = cleaned++ >= 2;
        pthread_mutex_unlock(&m);
    }
    pthread_join(t[0], NULL);
    pthread_barrier_init(&barrier, NULL, 4);
    for (int i = 0; i < 4; i++)
        pthread_create(&t[i], NULL, steps, (void *)(intptr_t)i);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    pthread_barrier_destroy(&barrier);
}

static pthread_t main_thread;
static void *joins_main(void *p)
{
    pthread_join(main_thread, NULL);
    x++;
    puts("all done");
    return p;
}

int main(void)
{
    joins();
    masks();
    detached();
    locking();
    meeting();
    main_thread = pthread_self();
    pthread_t t;
    pthread_create(&t, NULL, joins_main, NULL);
    x++;
    pthread_exit(NULL);
}
