/* Mutual exclusion and waiting. Every object is ready when all its bytes are zero, must not be copied or moved while in use, and needs
 * no destruction. Any goroutine and any thread may call; a goroutine that waits is parked: its thread runs others.
 *
 * The object's memory may be freed or used again as soon as no call on it can still be waiting or come: a call that lets another goroutine go on
 * does not touch the object after that, even if it has not returned yet.
 *
 * Costs, uncontended: lock, acquire and release are one atomic instruction each, unlock too, but a mutex's is a plain store. A wait costs a switch to another
 * goroutine and back; the first wait in a while for a mutex also interrupts the process's other threads once (membarrier, some 10 us). */
#ifndef GORT_SYNC_H
#define GORT_SYNC_H

#include <gort/goroutine.h>

/* ---- mutex ---- */

/* A lock, not recursive, not tied to the goroutine that locked it (as in Go). Those who are just running are preferred, for speed, but one who
 * has waited for more than 1 ms gets it next (Go's starvation mode). */
typedef struct go_mutex {
    _Atomic(uint32_t) state;   /* 0 free; else locked, and what the unlock must see to */
    uint32_t reserved;
} go_mutex;
#define GO_MUTEX_INIT {0}

/* Locks; waits while another goroutine holds it. Unlock n happens before lock n+1 returns. */
void go_mutex_lock(go_mutex *m);
/* Locks if that needs no wait; whether it did. */
bool go_mutex_try_lock(go_mutex *m);
/* Unlocks. Not locked: "fatal error: sync: unlock of unlocked mutex", status 2. May run a starving waiter at once, before it returns. */
void go_mutex_unlock(go_mutex *m);

/* Not to be called. By the bucket of its address: whether somebody waits for a mutex, or has lately; then an atomic instruction unlocks it
 * (runtime/contended.h). */
#define GORT_MUTEX_BUCKETS 1024
extern unsigned char gort_mutex_contended[GORT_MUTEX_BUCKETS];
void gort_mutex_lock_slow(go_mutex *m);
void gort_mutex_unlock_slow(go_mutex *m);
void gort_mutex_unlocked(go_mutex *m);
extern inline __attribute__((gnu_inline, always_inline)) unsigned gort_mutex_bucket(const void *m)
{
    return (unsigned)(((uint64_t)((uintptr_t)m >> 3) * 0x9e3779b97f4a7c15u) >> 54);
}
extern inline __attribute__((gnu_inline, always_inline)) void gort_mutex_unlock_inline(go_mutex *m)
{
    const unsigned char *contended = &gort_mutex_contended[gort_mutex_bucket(m)];
    if (__builtin_expect(__atomic_load_n((uint32_t *)&m->state, __ATOMIC_RELAXED) != 1 || __atomic_load_n(contended, __ATOMIC_RELAXED), 0)) {
        gort_mutex_unlock_slow(m);
        return;
    }
    __atomic_store_n((uint32_t *)&m->state, 0, __ATOMIC_RELEASE);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);   /* a membarrier makes it a real one */
    if (__builtin_expect(__atomic_load_n(contended, __ATOMIC_RELAXED), 0))
        gort_mutex_unlocked(m);
}

#if !defined(GO_RACE) && !defined(GORT_NO_INLINE)
/* The case that nobody else is there, in the caller's code. */
extern inline __attribute__((gnu_inline, always_inline)) void go_mutex_lock(go_mutex *m)
{
    uint32_t state = 0;
    if (__builtin_expect(!__atomic_compare_exchange_n((uint32_t *)&m->state, &state, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED), 0))
        gort_mutex_lock_slow(m);
}
extern inline __attribute__((gnu_inline, always_inline)) void go_mutex_unlock(go_mutex *m)
{
    gort_mutex_unlock_inline(m);
}
#endif

/* ---- rwmutex ---- */

/* A lock that any number of readers share, or one writer holds. A writer that waits keeps new readers out, so a reader must not lock again what it
 * holds; when a writer unlocks, the readers that wait get in before the next writer. */
typedef struct go_rwmutex {
    _Atomic(uint32_t) state;
    uint32_t reserved;
    void *readers[2], *writers[2];
} go_rwmutex;
#define GO_RWMUTEX_INIT {0}

/* Locks for reading; waits while a writer holds it or waits for it. The unlock of every writer before happens before it returns. */
void go_rwmutex_rlock(go_rwmutex *rw);
/* Locks for reading if that needs no wait; whether it did. */
bool go_rwmutex_try_rlock(go_rwmutex *rw);
/* Undoes one rlock. It happens before the return of the next lock, not of other rlocks: readers are not ordered among
 * themselves. No reader: "fatal error: sync: RUnlock of unlocked RWMutex". */
void go_rwmutex_runlock(go_rwmutex *rw);
/* Locks for writing; waits while anybody holds it. All runlocks and unlocks before happen before it returns. */
void go_rwmutex_lock(go_rwmutex *rw);
/* Locks for writing if that needs no wait; whether it did. */
bool go_rwmutex_try_lock(go_rwmutex *rw);
/* Undoes a lock, of any goroutine. No writer: "fatal error: sync: Unlock of unlocked RWMutex". */
void go_rwmutex_unlock(go_rwmutex *rw);

/* ---- waitgroup ---- */

/* Counts goroutines (or anything) still at work and waits for none. */
typedef struct go_waitgroup {
    _Atomic(uint64_t) state;   /* high half: the counter; low half: waiters */
    uint32_t reserved[2];
} go_waitgroup;
#define GO_WAITGROUP_INIT {0}

/* Adds n, which may be negative. Below zero: "panic: sync: negative WaitGroup counter". An add that lifts the counter from
 * zero must happen before a wait; add before go(), not inside the goroutine. Found to come while waiters are being let go: "panic: sync:
 * WaitGroup misuse: Add called concurrently with Wait". */
void go_waitgroup_add(go_waitgroup *wg, int n);
/* go_waitgroup_add(wg, -1). Everything before it happens before the return of the wait it lets go. */
void go_waitgroup_done(go_waitgroup *wg);
/* Waits until the counter is zero. Used for the next round before all waits of the last one have returned: "panic: sync: WaitGroup is
 * reused before previous Wait has returned", where that is found. */
void go_waitgroup_wait(go_waitgroup *wg);
/* go_waitgroup_go(wg, fn, arg): adds 1, and runs fn(arg), a void (*)(void *), as a goroutine that is done when fn has ended, by go_exit() too. */
#define go_waitgroup_go(wg, fn, arg)                         \
    __extension__({                                          \
        go_waitgroup *gort_wg_ = (wg);                       \
        go_waitgroup_add(gort_wg_, 1);                       \
        go(gort_waitgroup_run, gort_wg_, (fn), (arg));       \
    })
void gort_waitgroup_run(go_waitgroup *wg, void (*fn)(void *arg), void *arg);

/* ---- once ---- */

/* Something that is done once. */
typedef struct go_once {
    _Atomic(uint32_t) state;
    uint32_t reserved;
} go_once;
#define GO_ONCE_INIT {0}

/* The first call for o runs fn(arg); every other waits until that has ended, and does nothing. The end of fn happens before the return of every
 * call. fn counts as done if it ends by go_exit(). A call for o from inside fn waits for ever. When it is done: one load. */
void go_once_do(go_once *o, void (*fn)(void *arg), void *arg);

/* ---- cond ---- */

/* Where goroutines wait until a condition, guarded by a mutex, may hold:
 *     go_mutex_lock(&m);                           go_mutex_lock(&m);
 *     while (!condition)                           condition = true;
 *         go_cond_wait(&c, &m);                    go_cond_signal(&c);
 *     ...                                          go_mutex_unlock(&m);
 *     go_mutex_unlock(&m); */
typedef struct go_cond {
    void *queue[2];
} go_cond;
#define GO_COND_INIT {0}

/* Unlocks m, waits for a signal, and locks m again. A signal that comes after the unlock is not lost, and there is no return without one; but the
 * condition may not hold any more: look again. The signal happens before the return of the wait that it ends. */
void go_cond_wait(go_cond *c, go_mutex *m);
/* As go_cond_wait, for at most ns nanoseconds; then, m being locked again, whether there was a signal. */
bool go_cond_wait_timeout(go_cond *c, go_mutex *m, int64_t ns);
/* Ends the wait of the one that waits longest, if there is one. m may be locked or not. Does not block. */
void go_cond_signal(go_cond *c);
/* Ends all waits that have begun. Does not block. */
void go_cond_broadcast(go_cond *c);

/* ---- semaphore ---- */

/* A number of permits that are acquired and released, several at a time. First come, first served: a large request is not overtaken by
 * small ones. When zeroed it has none; what was not acquired may be released. */
typedef struct go_sem {
    _Atomic(uint64_t) state;
    void *queue[2];
} go_sem;

/* Makes it a semaphore with n permits. Nobody may use it meanwhile. Here and below, a negative n: "panic: semaphore: negative number of permits". */
void go_sem_init(go_sem *s, int64_t n);
/* Takes n permits; waits until there are as many and nobody is before the caller. The releases so far happen before its return. */
void go_sem_acquire(go_sem *s, int64_t n);
/* Takes n permits if that needs no wait; whether it did. */
bool go_sem_try_acquire(go_sem *s, int64_t n);
/* As go_sem_acquire, for at most ns nanoseconds; whether it got them. */
bool go_sem_acquire_timeout(go_sem *s, int64_t n, int64_t ns);
/* Adds n permits, and lets go on whom they suffice for. Does not block. */
void go_sem_release(go_sem *s, int64_t n);

#endif
