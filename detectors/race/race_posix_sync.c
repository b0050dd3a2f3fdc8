/* What POSIX and C11 threads synchronize by: mutexes, spin locks, read-write locks, conditions, barriers, semaphores.
 *
 * A release comes before the real unlock, an acquire after the real lock; in between nobody else can have the lock. Conditions order nothing by
 * themselves: their mutex does. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/syscall.h>
#include <threads.h>
#include <unistd.h>

#include "race_alloc.h"
#include "race_libc.h"
#include "race_locks.h"
#include "race_real.h"

static void acquire(const volatile void *p)
{
    race_acquire(race_cur(), (const void *)(uintptr_t)p);
}

static void forget(const volatile void *p, size_t n)
{
    race_sync_forget((uintptr_t)p, n);
}

/* ---- mutexes and spin locks: what is done under one happens before the next holder ---- */

/* A mutex that its holder may lock again, or that tells it then. */
static unsigned mutex_kind(const volatile void *m)
{
    enum { TYPE = 3 };   /* glibc: the rest of the word is robustness, priority, sharing */
    int type = ((const volatile pthread_mutex_t *)m)->__data.__kind & TYPE;
    return type == PTHREAD_MUTEX_RECURSIVE || type == PTHREAD_MUTEX_ERRORCHECK ? LOCK_MUTEX | LOCK_RECURSIVE : LOCK_MUTEX;
}

static void wanted(const volatile void *l, unsigned kind, uintptr_t pc)
{
    race_lock_wanted(race_cur(), (const void *)(uintptr_t)l, kind, pc);
}

static void ends(const volatile void *l, size_t n, enum lock_end how, uintptr_t pc)
{
    race_lock_gone(race_cur(), (uintptr_t)l, n, how, pc);
}

/* The lock was tried or waited for: is it the caller's? */
static int taken(const volatile void *l, int err, unsigned kind, uintptr_t pc)
{
    if (err == 0 || err == EOWNERDEAD) {
        acquire(l);
        if (err == EOWNERDEAD)   /* its owner ended without unlocking it */
            acquire(&race_ended_threads);
        race_lock_taken(race_cur(), (const void *)(uintptr_t)l, kind, pc);
    }
    return err;
}

static int own_tid(void)
{
    return (int)syscall(SYS_gettid);
}

/* What is not in the caller's lockset may have been locked out of the detector's sight: glibc's own word decides. */
static void mutex_leaves(const volatile void *l, uintptr_t pc)
{
    const volatile pthread_mutex_t *m = l;
    struct race_g *g = race_cur();
    race_release_merge(g, (const void *)(uintptr_t)l);
    if (race_likely(race_lock_released(g, (const void *)(uintptr_t)l, LOCK_MUTEX)))
        return;
    if (m->__data.__lock == 0)
        race_lock_misused(g, (const void *)(uintptr_t)l, LOCK_MUTEX, MISUSE_UNLOCK_UNLOCKED, pc);
    else if (m->__data.__owner != own_tid())
        race_lock_misused(g, (const void *)(uintptr_t)l, LOCK_MUTEX, MISUSE_UNLOCK_OTHERS, pc);
}

static void spin_leaves(const volatile pthread_spinlock_t *l, uintptr_t pc)
{
    enum { FREE = 1 };   /* glibc on x86 */
    struct race_g *g = race_cur();
    race_release_merge(g, (const void *)(uintptr_t)l);
    if (race_likely(race_lock_released(g, (const void *)(uintptr_t)l, LOCK_SPIN)))
        return;
    if (*l == FREE)
        race_lock_misused(g, (const void *)(uintptr_t)l, LOCK_SPIN, MISUSE_UNLOCK_UNLOCKED, pc);
    else if (race_lock_has_holder((const void *)(uintptr_t)l))
        race_lock_misused(g, (const void *)(uintptr_t)l, LOCK_SPIN, MISUSE_UNLOCK_OTHERS, pc);
}

INTERPOSE int pthread_mutex_init(pthread_mutex_t *m, const pthread_mutexattr_t *attr)
{
    forget(m, sizeof *m);
    ends(m, sizeof *m, LOCK_INITIALIZED, PC);
    return REAL(pthread_mutex_init)(m, attr);
}

INTERPOSE int pthread_mutex_destroy(pthread_mutex_t *m)
{
    ends(m, sizeof *m, LOCK_DESTROYED, PC);
    int err = REAL(pthread_mutex_destroy)(m);
    if (err == 0)
        forget(m, sizeof *m);
    return err;
}

INTERPOSE int pthread_mutex_lock(pthread_mutex_t *m)
{
    unsigned kind = mutex_kind(m);
    wanted(m, kind, PC);
    return taken(m, BLOCKING(REAL(pthread_mutex_lock)(m)), kind, PC);
}

INTERPOSE int pthread_mutex_trylock(pthread_mutex_t *m)
{
    return taken(m, REAL(pthread_mutex_trylock)(m), mutex_kind(m) | LOCK_TRIED, PC);
}

INTERPOSE int pthread_mutex_timedlock(pthread_mutex_t *m, const struct timespec *until)
{
    return taken(m, BLOCKING(REAL(pthread_mutex_timedlock)(m, until)), mutex_kind(m) | LOCK_TRIED, PC);
}

INTERPOSE int pthread_mutex_clocklock(pthread_mutex_t *m, clockid_t clock, const struct timespec *until)
{
    return taken(m, BLOCKING(REAL(pthread_mutex_clocklock)(m, clock, until)), mutex_kind(m) | LOCK_TRIED, PC);
}

INTERPOSE int pthread_mutex_unlock(pthread_mutex_t *m)
{
    mutex_leaves(m, PC);
    return REAL(pthread_mutex_unlock)(m);
}

INTERPOSE int mtx_init(mtx_t *m, int type)
{
    forget(m, sizeof *m);
    ends(m, sizeof *m, LOCK_INITIALIZED, PC);
    return REAL(mtx_init)(m, type);
}

INTERPOSE void mtx_destroy(mtx_t *m)
{
    ends(m, sizeof *m, LOCK_DESTROYED, PC);
    REAL(mtx_destroy)(m);
    forget(m, sizeof *m);
}

INTERPOSE int mtx_lock(mtx_t *m)
{
    unsigned kind = mutex_kind(m);
    wanted(m, kind, PC);
    return taken(m, BLOCKING(REAL(mtx_lock)(m)), kind, PC);
}

INTERPOSE int mtx_trylock(mtx_t *m)
{
    return taken(m, REAL(mtx_trylock)(m), mutex_kind(m) | LOCK_TRIED, PC);
}

INTERPOSE int mtx_timedlock(mtx_t *m, const struct timespec *until)
{
    return taken(m, BLOCKING(REAL(mtx_timedlock)(m, until)), mutex_kind(m) | LOCK_TRIED, PC);
}

INTERPOSE int mtx_unlock(mtx_t *m)
{
    mutex_leaves(m, PC);
    return REAL(mtx_unlock)(m);
}

INTERPOSE int pthread_spin_init(pthread_spinlock_t *l, int shared)
{
    forget(l, sizeof *l);
    ends(l, sizeof *l, LOCK_INITIALIZED, PC);
    return REAL(pthread_spin_init)(l, shared);
}

INTERPOSE int pthread_spin_destroy(pthread_spinlock_t *l)
{
    ends(l, sizeof *l, LOCK_DESTROYED, PC);
    int err = REAL(pthread_spin_destroy)(l);
    forget(l, sizeof *l);
    return err;
}

INTERPOSE int pthread_spin_lock(pthread_spinlock_t *l)
{
    wanted(l, LOCK_SPIN, PC);
    return taken(l, BLOCKING(REAL(pthread_spin_lock)(l)), LOCK_SPIN, PC);
}

INTERPOSE int pthread_spin_trylock(pthread_spinlock_t *l)
{
    return taken(l, REAL(pthread_spin_trylock)(l), LOCK_SPIN | LOCK_TRIED, PC);
}

INTERPOSE int pthread_spin_unlock(pthread_spinlock_t *l)
{
    spin_leaves(l, PC);
    return REAL(pthread_spin_unlock)(l);
}

/* ---- read-write locks: a reader acquires what the last writer left at the lock and releases, joined, at the word after it, which the next writer
 * acquires: so readers are not ordered among themselves ---- */

static void *readers_of(pthread_rwlock_t *l)
{
    return (char *)l + 8;
}

static int write_taken(pthread_rwlock_t *l, int err, unsigned kind, uintptr_t pc)
{
    if (err == 0)
        acquire(readers_of(l));
    return taken(l, err, kind, pc);
}

INTERPOSE int pthread_rwlock_init(pthread_rwlock_t *l, const pthread_rwlockattr_t *attr)
{
    forget(l, sizeof *l);
    ends(l, sizeof *l, LOCK_INITIALIZED, PC);
    return REAL(pthread_rwlock_init)(l, attr);
}

INTERPOSE int pthread_rwlock_destroy(pthread_rwlock_t *l)
{
    ends(l, sizeof *l, LOCK_DESTROYED, PC);
    int err = REAL(pthread_rwlock_destroy)(l);
    if (err == 0)
        forget(l, sizeof *l);
    return err;
}

INTERPOSE int pthread_rwlock_rdlock(pthread_rwlock_t *l)
{
    wanted(l, LOCK_RWLOCK | LOCK_READ, PC);
    return taken(l, BLOCKING(REAL(pthread_rwlock_rdlock)(l)), LOCK_RWLOCK | LOCK_READ, PC);
}

INTERPOSE int pthread_rwlock_tryrdlock(pthread_rwlock_t *l)
{
    return taken(l, REAL(pthread_rwlock_tryrdlock)(l), LOCK_RWLOCK | LOCK_READ | LOCK_TRIED, PC);
}

INTERPOSE int pthread_rwlock_timedrdlock(pthread_rwlock_t *l, const struct timespec *until)
{
    return taken(l, BLOCKING(REAL(pthread_rwlock_timedrdlock)(l, until)), LOCK_RWLOCK | LOCK_READ | LOCK_TRIED, PC);
}

INTERPOSE int pthread_rwlock_clockrdlock(pthread_rwlock_t *l, clockid_t clock, const struct timespec *until)
{
    return taken(l, BLOCKING(REAL(pthread_rwlock_clockrdlock)(l, clock, until)), LOCK_RWLOCK | LOCK_READ | LOCK_TRIED, PC);
}

INTERPOSE int pthread_rwlock_wrlock(pthread_rwlock_t *l)
{
    wanted(l, LOCK_RWLOCK, PC);
    return write_taken(l, BLOCKING(REAL(pthread_rwlock_wrlock)(l)), LOCK_RWLOCK, PC);
}

INTERPOSE int pthread_rwlock_trywrlock(pthread_rwlock_t *l)
{
    return write_taken(l, REAL(pthread_rwlock_trywrlock)(l), LOCK_RWLOCK | LOCK_TRIED, PC);
}

INTERPOSE int pthread_rwlock_timedwrlock(pthread_rwlock_t *l, const struct timespec *until)
{
    return write_taken(l, BLOCKING(REAL(pthread_rwlock_timedwrlock)(l, until)), LOCK_RWLOCK | LOCK_TRIED, PC);
}

INTERPOSE int pthread_rwlock_clockwrlock(pthread_rwlock_t *l, clockid_t clock, const struct timespec *until)
{
    return write_taken(l, BLOCKING(REAL(pthread_rwlock_clockwrlock)(l, clock, until)), LOCK_RWLOCK | LOCK_TRIED, PC);
}

INTERPOSE int pthread_rwlock_unlock(pthread_rwlock_t *l)
{
    enum { READERS_SHIFT = 3 };   /* glibc */
    int writer = (int)l->__data.__cur_writer;   /* glibc: the writing holder's thread id, 0 while readers hold it */
    unsigned kind = writer ? LOCK_RWLOCK : LOCK_RWLOCK | LOCK_READ;
    struct race_g *g = race_cur();
    race_release_merge(g, writer ? (void *)l : readers_of(l));
    if (race_unlikely(!race_lock_released(g, l, kind))) {
        if (writer ? writer != own_tid() : l->__data.__readers >> READERS_SHIFT == 0)
            race_lock_misused(g, l, kind, writer ? MISUSE_UNLOCK_OTHERS : MISUSE_UNLOCK_UNLOCKED, PC);
    }
    return REAL(pthread_rwlock_unlock)(l);
}

/* ---- conditions: waiting gives the mutex up and takes it again, also on the way out of a cancelled wait, before its cleanup handlers. (This file is
 * compiled without exceptions, so that glibc runs handlers in the order of their registration, the program's in C after ours.) ---- */

static void cancelled(void *m)
{
    race_in_call = 0;
    taken(m, 0, mutex_kind(m), 0);
}

#define WAIT(m, call) \
    __extension__({ \
        int wait_result; \
        mutex_leaves(m, PC); \
        pthread_cleanup_push(cancelled, m); \
        wait_result = BLOCKING(call); \
        pthread_cleanup_pop(0); \
        taken(m, 0, mutex_kind(m), PC); \
        wait_result; \
    })

INTERPOSE int pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m)
{
    return WAIT(m, REAL(pthread_cond_wait)(c, m));
}

INTERPOSE int pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *until)
{
    return WAIT(m, REAL(pthread_cond_timedwait)(c, m, until));
}

INTERPOSE int pthread_cond_clockwait(pthread_cond_t *c, pthread_mutex_t *m, clockid_t clock, const struct timespec *until)
{
    return WAIT(m, REAL(pthread_cond_clockwait)(c, m, clock, until));
}

INTERPOSE int cnd_wait(cnd_t *c, mtx_t *m)
{
    return WAIT(m, REAL(cnd_wait)(c, m));
}

INTERPOSE int cnd_timedwait(cnd_t *c, mtx_t *m, const struct timespec *until)
{
    return WAIT(m, REAL(cnd_timedwait)(c, m, until));
}

/* ---- semaphores ---- */

static int sem_taken(sem_t *s, int err)
{
    if (err == 0)
        acquire(s);
    return err;
}

INTERPOSE int sem_init(sem_t *s, int shared, unsigned value)
{
    forget(s, sizeof *s);
    return REAL(sem_init)(s, shared, value);
}

INTERPOSE int sem_destroy(sem_t *s)
{
    int err = REAL(sem_destroy)(s);
    if (err == 0)
        forget(s, sizeof *s);
    return err;
}

INTERPOSE int sem_post(sem_t *s)
{
    race_release_merge(race_cur(), s);
    return REAL(sem_post)(s);
}

INTERPOSE int sem_wait(sem_t *s)
{
    return sem_taken(s, BLOCKING(REAL(sem_wait)(s)));
}

INTERPOSE int sem_trywait(sem_t *s)
{
    return sem_taken(s, REAL(sem_trywait)(s));
}

INTERPOSE int sem_timedwait(sem_t *s, const struct timespec *until)
{
    return sem_taken(s, BLOCKING(REAL(sem_timedwait)(s, until)));
}

INTERPOSE int sem_clockwait(sem_t *s, clockid_t clock, const struct timespec *until)
{
    return sem_taken(s, BLOCKING(REAL(sem_clockwait)(s, clock, until)));
}

/* ---- barriers ----
 * Each round has a meeting point of its own: who returns late from round n must not learn what a faster thread did on its way to round n+1. A
 * round lives until its last thread has left it. That supposes as many threads as the barrier counts. With more of them our order of
 * arrival need not be the barrier's: then all rounds meet at the barrier's own address, which orders more than it should. */

struct round {
    uint64_t meet;   /* its address is synchronized by */
    unsigned inside, arrived;
};

struct barrier {
    struct barrier *next;
    pthread_barrier_t *at;
    unsigned count, inside;
    bool crowded;
    struct round *round;   /* the one that gathers now; NULL: nobody has come yet */
};

static atomic_flag barriers_flag;
static struct barrier *barriers;   /* few */

static void barriers_lock(void)
{
    while (atomic_flag_test_and_set_explicit(&barriers_flag, memory_order_acquire))
        sched_yield();
}

static void barriers_unlock(void)
{
    atomic_flag_clear_explicit(&barriers_flag, memory_order_release);
}

static struct barrier **barrier_find_locked(pthread_barrier_t *at)
{
    struct barrier **b = &barriers;
    while (*b && (*b)->at != at)
        b = &(*b)->next;
    return b;
}

static void barrier_drop(pthread_barrier_t *at)
{
    barriers_lock();
    struct barrier **place = barrier_find_locked(at), *b = *place;
    if (b) {
        *place = b->next;
        race_free(b, sizeof *b);   /* a round that gathers has threads in it, which will never leave */
    }
    barriers_unlock();
    forget(at, sizeof *at);
}

INTERPOSE int pthread_barrier_init(pthread_barrier_t *at, const pthread_barrierattr_t *attr, unsigned count)
{
    barrier_drop(at);
    int err = REAL(pthread_barrier_init)(at, attr, count);
    if (err)
        return err;
    struct barrier *b = race_alloc(sizeof *b);
    b->at = at;
    b->count = count;
    barriers_lock();
    b->next = barriers;
    barriers = b;
    barriers_unlock();
    return 0;
}

INTERPOSE int pthread_barrier_destroy(pthread_barrier_t *at)
{
    int err = REAL(pthread_barrier_destroy)(at);
    if (err == 0)
        barrier_drop(at);
    return err;
}

static struct round *round_enter(pthread_barrier_t *at)
{
    barriers_lock();
    struct barrier *b = *barrier_find_locked(at);
    struct round *r = NULL;
    if (b) {
        if (++b->inside > b->count)
            b->crowded = true;
        if (!b->crowded) {
            if (!b->round)
                b->round = race_alloc(sizeof *b->round);
            r = b->round;
            r->inside++;
            if (++r->arrived == b->count)
                b->round = NULL;
        }
    }
    barriers_unlock();
    return r;
}

static void round_leave(pthread_barrier_t *at, struct round *r)
{
    barriers_lock();
    struct barrier *b = *barrier_find_locked(at);   /* may be gone: destroying it is allowed as soon as one thread has returned */
    if (b)
        b->inside--;
    bool last = r && --r->inside == 0;
    barriers_unlock();
    if (last) {
        forget(&r->meet, sizeof r->meet);
        race_free(r, sizeof *r);
    }
}

/* What is released at the barrier itself is for a crowded one. */
INTERPOSE int pthread_barrier_wait(pthread_barrier_t *at)
{
    struct race_g *g = race_cur();
    struct round *r = round_enter(at);
    if (r)
        race_release_merge(g, &r->meet);
    race_release_merge(g, at);
    int result = BLOCKING(REAL(pthread_barrier_wait)(at));
    race_acquire(g, r ? (void *)&r->meet : at);
    round_leave(at, r);
    return result;
}
