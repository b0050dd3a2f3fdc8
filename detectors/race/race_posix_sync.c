/* What POSIX and C11 threads synchronize by: mutexes, spin locks, read-write locks, conditions. (Semaphores, barriers: race_posix_waits.c.)
 *
 * A release comes before the real unlock, an acquire after the real lock; in between nobody else can have the lock. Conditions order nothing by
 * themselves: their mutex does. */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <threads.h>
#include <unistd.h>

#include "race_libc.h"
#include "race_locks.h"
#include "race_patience.h"
#include "race_real.h"
#include "race_uses.h"
#include "race_waits.h"

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

static void used(const volatile void *p, int use, uintptr_t pc)
{
    if (is_in_program(pc))
        race_use_object(race_cur(), (uintptr_t)p, use, pc);
}

static void begins(const volatile void *l, size_t n, uintptr_t pc)
{
    race_lock_gone(race_cur(), (uintptr_t)l, n, LOCK_INITIALIZED, pc);
    forget(l, n);
    used(l, USE_SYNC_INIT, pc);
}

static void ends(const volatile void *l, size_t n, uintptr_t pc)
{
    race_lock_gone(race_cur(), (uintptr_t)l, n, LOCK_DESTROYED, pc);
    used(l, USE_SYNC_DESTROY, pc);
}

/* What a mutex orders is left at an address inside it, that no program uses, by its holder, which is alone there: that is a fifth cheaper
 * (race_acquire_held). A holder is who glibc calls so. Others may unlock a mutex as well, which POSIX forbids and glibc does; they leave what they did at the
 * mutex's own address, and from the first time on who locks one looks there too. */
static const void *left_at(const volatile pthread_mutex_t *m)
{
    return (const void *)(uintptr_t)&m->__data.__count;
}

/* A goroutine that moved to another thread while it held one counts as such an other, too: what it does then only costs more.
 * Relaxed: whoever sets it unlocks a mutex then, and who locks that one sees it. */
static atomic_bool unlocked_by_others;

/* What glibc calls the calling thread, as the last mutex said that it got; 0: it got none yet. */
static _Thread_local int me __attribute__((tls_model("initial-exec")));

static inline void acquire_mutex(struct race_g *g, const volatile pthread_mutex_t *m)
{
    me = m->__data.__owner;
    race_acquire_held(g, left_at(m));
    if (race_unlikely(atomic_load_explicit(&unlocked_by_others, memory_order_relaxed)))
        acquire(m);
}

static inline void release_mutex(struct race_g *g, const volatile pthread_mutex_t *m)
{
    if (race_likely(m->__data.__owner == me && me != 0)) {
        race_release_held(g, left_at(m));
    } else {
        atomic_store_explicit(&unlocked_by_others, true, memory_order_relaxed);
        race_release_merge(g, (const void *)(uintptr_t)m);
    }
}

/* The caller has got the lock; `too`: what else its holder acquires, or NULL. */
static inline void got(const volatile void *l, const volatile void *too, unsigned kind, uintptr_t pc)
{
    struct race_g *g = race_cur();
    struct lockset *known = race_lock_begins(g, (const void *)(uintptr_t)l, kind, pc);
    race_turn_begins();
    if ((kind & LOCK_TYPE) == LOCK_MUTEX)
        acquire_mutex(g, l);
    else
        acquire(l);
    if (race_unlikely(too != NULL))
        acquire(too);
    race_lock_taken(g, (const void *)(uintptr_t)l, kind, pc, known);
}

/* The lock was tried or waited for: is it the caller's? */
static int taken(const volatile void *l, int err, unsigned kind, uintptr_t pc)
{
    if (err == 0 || err == EOWNERDEAD)
        got(l, err == EOWNERDEAD ? &race_ended_threads : NULL, kind, pc);   /* its owner ended without unlocking it */
    return err;
}

/* The same of a mutex, which glibc refuses to lock if it was destroyed. */
static int mutex_taken(const volatile void *m, int err, unsigned kind, uintptr_t pc)
{
    if (race_unlikely(err != 0) && ((const volatile pthread_mutex_t *)m)->__data.__kind == -1)
        race_lock_misused(race_cur(), (const void *)(uintptr_t)m, kind, MISUSE_LOCK_DESTROYED, pc);
    return taken(m, err, kind, pc);
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
    race_lock_leaves(g);
    release_mutex(g, m);
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
    race_lock_leaves(g);
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
    begins(m, sizeof *m, PC);
    return REAL(pthread_mutex_init)(m, attr);
}

INTERPOSE int pthread_mutex_destroy(pthread_mutex_t *m)
{
    ends(m, sizeof *m, PC);
    int err = REAL(pthread_mutex_destroy)(m);
    if (err == 0)
        forget(m, sizeof *m);
    return err;
}

static int may_use_processors(void)
{
    static atomic_int n;   /* relaxed: whoever computes it computes the same */
    int known = atomic_load_explicit(&n, memory_order_relaxed);
    if (known == 0) {
        cpu_set_t set;
        int saved = errno;
        known = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : (int)sysconf(_SC_NPROCESSORS_ONLN);
        errno = saved;
        atomic_store_explicit(&n, known, memory_order_relaxed);
    }
    return known;
}

/* A mutex that another thread holds will mostly be free in a moment, and to sleep for it costs both of them: so it is looked at a few times first. */
static int lock_patiently(pthread_mutex_t *m)
{
    enum { LOOKS = 10 };
    int err = REAL(pthread_mutex_trylock)(m);
    for (int looks = 0; err == EBUSY && looks < LOOKS && may_use_processors() > 1; looks++) {
        race_look_away(m, looks == 0);
        if (*(volatile int *)&m->__data.__lock == 0)
            err = REAL(pthread_mutex_trylock)(m);
    }
    return err == EBUSY ? BLOCKING(REAL(pthread_mutex_lock)(m)) : err;
}

INTERPOSE int pthread_mutex_lock(pthread_mutex_t *m)
{
    unsigned kind = mutex_kind(m);
    wanted(m, kind, PC);
    return mutex_taken(m, lock_patiently(m), kind, PC);
}

INTERPOSE int pthread_mutex_trylock(pthread_mutex_t *m)
{
    return mutex_taken(m, REAL(pthread_mutex_trylock)(m), mutex_kind(m) | LOCK_TRIED, PC);
}

INTERPOSE int pthread_mutex_timedlock(pthread_mutex_t *m, const struct timespec *until)
{
    return mutex_taken(m, BLOCKING(REAL(pthread_mutex_timedlock)(m, until)), mutex_kind(m) | LOCK_TRIED, PC);
}

INTERPOSE int pthread_mutex_clocklock(pthread_mutex_t *m, clockid_t clock, const struct timespec *until)
{
    return mutex_taken(m, BLOCKING(REAL(pthread_mutex_clocklock)(m, clock, until)), mutex_kind(m) | LOCK_TRIED, PC);
}

INTERPOSE int pthread_mutex_unlock(pthread_mutex_t *m)
{
    mutex_leaves(m, PC);
    return REAL(pthread_mutex_unlock)(m);
}

INTERPOSE int mtx_init(mtx_t *m, int type)
{
    begins(m, sizeof *m, PC);
    return REAL(mtx_init)(m, type);
}

INTERPOSE void mtx_destroy(mtx_t *m)
{
    ends(m, sizeof *m, PC);
    REAL(mtx_destroy)(m);
    forget(m, sizeof *m);
}

INTERPOSE int mtx_lock(mtx_t *m)
{
    unsigned kind = mutex_kind(m);
    wanted(m, kind, PC);
    return mutex_taken(m, BLOCKING(REAL(mtx_lock)(m)), kind, PC);
}

INTERPOSE int mtx_trylock(mtx_t *m)
{
    return mutex_taken(m, REAL(mtx_trylock)(m), mutex_kind(m) | LOCK_TRIED, PC);
}

INTERPOSE int mtx_timedlock(mtx_t *m, const struct timespec *until)
{
    return mutex_taken(m, BLOCKING(REAL(mtx_timedlock)(m, until)), mutex_kind(m) | LOCK_TRIED, PC);
}

INTERPOSE int mtx_unlock(mtx_t *m)
{
    mutex_leaves(m, PC);
    return REAL(mtx_unlock)(m);
}

INTERPOSE int pthread_spin_init(pthread_spinlock_t *l, int shared)
{
    begins(l, sizeof *l, PC);
    return REAL(pthread_spin_init)(l, shared);
}

INTERPOSE int pthread_spin_destroy(pthread_spinlock_t *l)
{
    ends(l, sizeof *l, PC);
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
        got(l, readers_of(l), kind, pc);
    return err;
}

INTERPOSE int pthread_rwlock_init(pthread_rwlock_t *l, const pthread_rwlockattr_t *attr)
{
    begins(l, sizeof *l, PC);
    return REAL(pthread_rwlock_init)(l, attr);
}

INTERPOSE int pthread_rwlock_destroy(pthread_rwlock_t *l)
{
    ends(l, sizeof *l, PC);
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
    race_lock_leaves(g);
    if (writer)
        race_release_merge(g, l);
    else
        race_release_part(g, readers_of(l));
    if (race_unlikely(!race_lock_released(g, l, kind))) {
        if (writer ? writer != own_tid() : l->__data.__readers >> READERS_SHIFT == 0)
            race_lock_misused(g, l, kind, writer ? MISUSE_UNLOCK_OTHERS : MISUSE_UNLOCK_UNLOCKED, PC);
    }
    return REAL(pthread_rwlock_unlock)(l);
}

/* ---- conditions: waiting gives the mutex up and takes it again, also on the way out of a cancelled wait, before its cleanup handlers. (This file is
 * compiled without exceptions, so that glibc runs handlers in the order of their registration, the program's in C after ours.) ---- */

struct cond_wait {
    void *mutex;
    struct race_wait *wait;
    uintptr_t pc;
};

/* After a wait that failed or was cancelled: EOWNERDEAD: the caller has the mutex, whose last owner ended with it; 0: has it; else not: it was not the
 * caller's before, or can't be had any more (ENOTRECOVERABLE). glibc's own word decides. */
static int mutex_after_wait(const void *mutex)
{
    enum { INCONSISTENT = INT_MAX };   /* glibc's owner until pthread_mutex_consistent */
    int owner = ((const volatile pthread_mutex_t *)mutex)->__data.__owner;
    return owner == INCONSISTENT ? EOWNERDEAD : owner == own_tid() ? 0 : EPERM;
}

static void cancelled(void *arg)
{
    struct cond_wait *w = arg;
    race_in_call = 0;
    race_wait_leave(w->wait, false);
    taken(w->mutex, mutex_after_wait(w->mutex), mutex_kind(w->mutex), w->pc);
}

#define WAIT(c, m, call) \
    __extension__({ \
        int wait_result; \
        used(c, USE_SYNC, PC); \
        struct cond_wait w = {m, race_wait_enter(race_cur(), c, LOCK_COND, PC), race_called_at(PC)}; \
        mutex_leaves(m, PC); \
        pthread_cleanup_push(cancelled, &w); \
        wait_result = BLOCKING(call); \
        pthread_cleanup_pop(0); \
        race_wait_leave(w.wait, wait_result == 0); \
        taken(m, race_likely(wait_result == 0) ? 0 : mutex_after_wait(m), mutex_kind(m), race_called_at(PC)); \
        wait_result; \
    })

INTERPOSE int pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m)
{
    return WAIT(c, m, REAL(pthread_cond_wait)(c, m));
}

INTERPOSE int pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *until)
{
    return WAIT(c, m, REAL(pthread_cond_timedwait)(c, m, until));
}

INTERPOSE int pthread_cond_clockwait(pthread_cond_t *c, pthread_mutex_t *m, clockid_t clock, const struct timespec *until)
{
    return WAIT(c, m, REAL(pthread_cond_clockwait)(c, m, clock, until));
}

INTERPOSE int cnd_wait(cnd_t *c, mtx_t *m)
{
    return WAIT(c, m, REAL(cnd_wait)(c, m));
}

INTERPOSE int cnd_timedwait(cnd_t *c, mtx_t *m, const struct timespec *until)
{
    return WAIT(c, m, REAL(cnd_timedwait)(c, m, until));
}

/* Whoever waits when it is destroyed will never be woken. (glibc's destroy then waits for him.) */
#define WAKES(T, name, all) \
    INTERPOSE int name(T *c) \
    { \
        used(c, USE_SYNC, PC); \
        race_wait_wakes(c, all); \
        return REAL(name)(c); \
    }
WAKES(pthread_cond_t, pthread_cond_signal, false)
WAKES(pthread_cond_t, pthread_cond_broadcast, true)
WAKES(cnd_t, cnd_signal, false)
WAKES(cnd_t, cnd_broadcast, true)

INTERPOSE int pthread_cond_init(pthread_cond_t *c, const pthread_condattr_t *attr)
{
    used(c, USE_SYNC_INIT, PC);
    return REAL(pthread_cond_init)(c, attr);
}

INTERPOSE int cnd_init(cnd_t *c)
{
    used(c, USE_SYNC_INIT, PC);
    return REAL(cnd_init)(c);
}

INTERPOSE int pthread_cond_destroy(pthread_cond_t *c)
{
    used(c, USE_SYNC_DESTROY, PC);
    race_waits_gone(race_cur(), (uintptr_t)c, sizeof *c, LOCK_DESTROYED, PC);
    return BLOCKING(REAL(pthread_cond_destroy)(c));
}

INTERPOSE void cnd_destroy(cnd_t *c)
{
    used(c, USE_SYNC_DESTROY, PC);
    race_waits_gone(race_cur(), (uintptr_t)c, sizeof *c, LOCK_DESTROYED, PC);
    BLOCKING((REAL(cnd_destroy)(c), 0));
}
