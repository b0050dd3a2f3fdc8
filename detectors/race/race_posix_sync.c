/* What POSIX threads synchronize by: mutexes, spin locks, read-write locks, conditions, barriers, semaphores. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>

#include "race_libc.h"

/* A lock's life: what is done under it happens before the next holder. */
#define LOCK(name, T) \
    int __real_##name(T *l); \
    int __wrap_##name(T *l) \
    { \
        int err = __real_##name(l); \
        if (err == 0 || err == EOWNERDEAD) \
            race_acquire(race_cur(), (const void *)(uintptr_t)l); \
        return err; \
    }
#define UNLOCK(name, T, how) \
    int __real_##name(T *l); \
    int __wrap_##name(T *l) \
    { \
        how(race_cur(), (const void *)(uintptr_t)l); \
        return __real_##name(l); \
    }

LOCK(pthread_mutex_lock, pthread_mutex_t)
LOCK(pthread_mutex_trylock, pthread_mutex_t)
UNLOCK(pthread_mutex_unlock, pthread_mutex_t, race_release_merge)
LOCK(pthread_spin_lock, pthread_spinlock_t)
LOCK(pthread_spin_trylock, pthread_spinlock_t)
UNLOCK(pthread_spin_unlock, pthread_spinlock_t, race_release_merge)
UNLOCK(sem_post, sem_t, race_release_merge)
LOCK(sem_wait, sem_t)
LOCK(sem_trywait, sem_t)

int __real_pthread_mutex_destroy(pthread_mutex_t *m);
int __wrap_pthread_mutex_destroy(pthread_mutex_t *m)
{
    int err = __real_pthread_mutex_destroy(m);
    if (err == 0 && is_on())
        race_sync_forget((uintptr_t)m, sizeof *m);
    return err;
}

int __real_sem_timedwait(sem_t *s, const struct timespec *until);
int __wrap_sem_timedwait(sem_t *s, const struct timespec *until)
{
    int err = __real_sem_timedwait(s, until);
    if (err == 0)
        race_acquire(race_cur(), s);
    return err;
}

/* Readers: each acquires what the last writer left at the lock and releases, joined, at the word after it, which the next writer acquires. */
static void *readers_of(pthread_rwlock_t *l)
{
    return (char *)l + 8;
}

LOCK(pthread_rwlock_rdlock, pthread_rwlock_t)
LOCK(pthread_rwlock_tryrdlock, pthread_rwlock_t)

int __real_pthread_rwlock_wrlock(pthread_rwlock_t *l);
int __wrap_pthread_rwlock_wrlock(pthread_rwlock_t *l)
{
    int err = __real_pthread_rwlock_wrlock(l);
    if (err == 0) {
        race_acquire(race_cur(), l);
        race_acquire(race_cur(), readers_of(l));
    }
    return err;
}

int __real_pthread_rwlock_trywrlock(pthread_rwlock_t *l);
int __wrap_pthread_rwlock_trywrlock(pthread_rwlock_t *l)
{
    int err = __real_pthread_rwlock_trywrlock(l);
    if (err == 0) {
        race_acquire(race_cur(), l);
        race_acquire(race_cur(), readers_of(l));
    }
    return err;
}

int __real_pthread_rwlock_unlock(pthread_rwlock_t *l);
int __wrap_pthread_rwlock_unlock(pthread_rwlock_t *l)
{
    bool writer = l->__data.__cur_writer != 0;   /* glibc: the holder's thread id */
    race_release_merge(race_cur(), writer ? (void *)l : readers_of(l));
    return __real_pthread_rwlock_unlock(l);
}

/* Waiting gives the mutex up and takes it again. */
int __real_pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m);
int __wrap_pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m)
{
    race_release_merge(race_cur(), m);
    int err = __real_pthread_cond_wait(c, m);
    race_acquire(race_cur(), m);
    return err;
}

int __real_pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *until);
int __wrap_pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *until)
{
    race_release_merge(race_cur(), m);
    int err = __real_pthread_cond_timedwait(c, m, until);
    race_acquire(race_cur(), m);
    return err;
}

int __real_pthread_barrier_wait(pthread_barrier_t *b);
int __wrap_pthread_barrier_wait(pthread_barrier_t *b)
{
    race_release_merge(race_cur(), b);
    int r = __real_pthread_barrier_wait(b);
    race_acquire(race_cur(), b);
    return r;
}
