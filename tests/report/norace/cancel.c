/* The clean twin of race/cancel.c: cancelled threads. What one did happens before the return of its join: cancelled in a call that blocks; anywhere in the
 * program, though it is in the detector for most of its time; before its conditions' mutexes could be had. A mutex that was left locked hands on what its
 * owner did, by a wait too. */
// expect: all done
// absent: WARNING
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#define _GNU_SOURCE
#include "race_test.h"
#include <errno.h>
#include <time.h>

static pthread_t start(void *(*fn)(void *))
{
    pthread_t t;
    pthread_create(&t, NULL, fn, NULL);
    return t;
}

static void cancel(pthread_t t)
{
    void *result;
    pthread_cancel(t);
    pthread_join(t, &result);
    if (result != PTHREAD_CANCELED)
        abort();
    x++;
}

/* ---- in a call ---- */

static int ends[2];
static void clean_up(void *p) { x += *(int *)p; }
static void *reads(void *p)
{
    int one = 1;
    char c;
    pthread_cleanup_push(clean_up, &one);
    x++;
    while (read(ends[0], &c, 1) >= 0) { }
    pthread_cleanup_pop(1);
    return p;
}

/* ---- anywhere ---- */

enum { WORDS = 1 << 12, TIMES = 30 };
static long words[WORDS];
static sem_t runs;
static void *changes(void *p)
{
    int type;
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &type);
    sem_post(&runs);
    for (unsigned long i = 0;; i++)
        words[i * 77 % WORDS] += type == PTHREAD_CANCEL_DEFERRED;
    return p;
}

static void cancelled_anywhere(void)
{
    sem_init(&runs, 0, 0);
    for (int i = 0; i < TIMES; i++) {
        pthread_t t = start(changes);
        sem_wait(&runs);
        usleep((useconds_t)(37 * i));
        cancel(t);
        for (int k = 0; k < WORDS; k++)
            words[k]++;
    }
}

/* ---- a robust mutex: two that wait with it, of which the first one ends with it ---- */

static pthread_mutex_t robust;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int waiting, owned, inherited;
static void *waits(void *p)
{
    pthread_mutex_lock(&robust);
    waiting++;
    int err = pthread_cond_wait(&cond, &robust);
    owned++;
    if (err == EOWNERDEAD) {
        inherited++;
        pthread_mutex_consistent(&robust);
        pthread_mutex_unlock(&robust);
    }
    return p;
}

/* And one that is cancelled as it waits, after the owner's end: its handler has the mutex. */
static void inherit(void *p)
{
    (void)p;
    owned++;
    inherited++;
    pthread_mutex_consistent(&robust);
    pthread_mutex_unlock(&robust);
}
static void *waits_for_ever(void *p)
{
    pthread_cleanup_push(inherit, NULL);
    pthread_mutex_lock(&robust);
    waiting++;
    for (;;)
        pthread_cond_wait(&cond, &robust);
    pthread_cleanup_pop(0);
    return p;
}
static void *ends_with_it(void *p)
{
    pthread_mutex_lock(&robust);
    owned++;
    step(1);
    return p;
}

static void await_waiting(int n)
{
    for (int now = 0; now < n; usleep(1000)) {
        pthread_mutex_lock(&robust);
        now = waiting;
        pthread_mutex_unlock(&robust);
    }
}

static void left_locked(void)
{
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&robust, &attr);
    pthread_t t[3];
    for (int i = 0; i < 2; i++)
        t[i] = start(waits);
    await_waiting(2);
    pthread_cond_broadcast(&cond);
    for (int i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
    t[0] = start(waits_for_ever);
    await_waiting(3);
    t[1] = start(ends_with_it);
    await(1);
    usleep(10000);
    pthread_cancel(t[0]);
    for (int i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
    if (inherited != 2 || owned != 4)
        abort();
}

/* ---- a wait that fails: who did not have the mutex does not have it then, nor a mutex that can't be had any more ---- */

static pthread_mutex_t checked;
static void *gives_it_up(void *p)
{
    pthread_mutex_lock(&checked);
    return p;
}
static void *waits_in_vain(void *p)
{
    pthread_mutex_lock(&checked);
    step(2);
    if (pthread_cond_wait(&cond, &checked) != ENOTRECOVERABLE)
        abort();
    return p;
}

static void failing(void)
{
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&checked, &attr);
    pthread_t t = start(waits_in_vain);
    await(2);
    pthread_mutex_lock(&checked);   /* it waits */
    pthread_mutex_unlock(&checked);
    pthread_join(start(gives_it_up), NULL);
    if (pthread_mutex_lock(&checked) != EOWNERDEAD)
        abort();
    pthread_mutex_unlock(&checked);   /* not made consistent: nobody has it ever again */
    pthread_cond_broadcast(&cond);
    pthread_join(t, NULL);
    pthread_mutex_destroy(&checked);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_STALLED);
    pthread_mutex_init(&checked, &attr);
    struct timespec never = {.tv_nsec = -1};
    pthread_mutex_lock(&checked);
    if (pthread_cond_timedwait(&cond, &checked, &never) != EINVAL)
        abort();
    pthread_mutex_unlock(&checked);
    pthread_mutex_destroy(&checked);
}

int main(void)
{
    if (pipe(ends) != 0)
        abort();
    pthread_t t = start(reads);
    usleep(10000);
    cancel(t);
    cancelled_anywhere();
    left_locked();
    failing();
    puts("all done");
    return 0;
}
