/* Semaphores and barriers of POSIX: a post happens before the wait that takes its permit, what precedes a barrier before what follows it. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>

#include "race_alloc.h"
#include "race_libc.h"
#include "race_real.h"
#include "race_spin.h"
#include "race_uses.h"
#include "race_waits.h"

/* ---- semaphores ---- */

static int sem_taken(sem_t *s, int err)
{
    if (err == 0)
        race_acquire(race_cur(), s);
    return err;
}

INTERPOSE int sem_init(sem_t *s, int shared, unsigned value)
{
    race_sync_forget((uintptr_t)s, sizeof *s);
    return REAL(sem_init)(s, shared, value);
}

INTERPOSE int sem_destroy(sem_t *s)
{
    race_waits_gone(race_cur(), (uintptr_t)s, sizeof *s, LOCK_DESTROYED, PC);
    int err = REAL(sem_destroy)(s);
    if (err == 0)
        race_sync_forget((uintptr_t)s, sizeof *s);
    return err;
}

INTERPOSE int sem_post(sem_t *s)
{
    race_release_merge(race_cur(), s);
    race_wait_wakes(s, false);
    return REAL(sem_post)(s);
}

/* Who finds no permit will park, unless one comes meanwhile: then he leaves at once. */
static struct race_wait *sem_enter(sem_t *s, uintptr_t pc)
{
    bool has_permits = *(const volatile uint32_t *)(uintptr_t)s != 0;   /* glibc's first word */
    return has_permits ? NULL : race_wait_enter(race_cur(), s, LOCK_SEM, pc);
}

static void sem_cancelled(void *w)
{
    race_in_call = 0;
    race_wait_leave(w, false);
}

#define SEM_WAIT(s, call) \
    __extension__({ \
        int wait_result; \
        struct race_wait *w = sem_enter(s, PC); \
        pthread_cleanup_push(sem_cancelled, w); \
        wait_result = BLOCKING(call); \
        pthread_cleanup_pop(0); \
        race_wait_leave(w, wait_result == 0); \
        sem_taken(s, wait_result); \
    })

INTERPOSE int sem_wait(sem_t *s)
{
    return SEM_WAIT(s, REAL(sem_wait)(s));
}

INTERPOSE int sem_trywait(sem_t *s)
{
    return sem_taken(s, REAL(sem_trywait)(s));
}

INTERPOSE int sem_timedwait(sem_t *s, const struct timespec *until)
{
    return SEM_WAIT(s, REAL(sem_timedwait)(s, until));
}

INTERPOSE int sem_clockwait(sem_t *s, clockid_t clock, const struct timespec *until)
{
    return SEM_WAIT(s, REAL(sem_clockwait)(s, clock, until));
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
    race_spin_lock(&barriers_flag);
}

static void barriers_unlock(void)
{
    race_spin_unlock(&barriers_flag);
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
    race_sync_forget((uintptr_t)at, sizeof *at);
}

static void used(pthread_barrier_t *at, int use, uintptr_t pc)
{
    if (is_in_program(pc))   /* as in race_lock_uses.h */
        race_use_object(race_cur(), (uintptr_t)at, use, pc);
}

INTERPOSE int pthread_barrier_init(pthread_barrier_t *at, const pthread_barrierattr_t *attr, unsigned count)
{
    barrier_drop(at);
    used(at, USE_SYNC_INIT, PC);
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
    used(at, USE_SYNC_DESTROY, PC);
    race_waits_gone(race_cur(), (uintptr_t)at, sizeof *at, LOCK_DESTROYED, PC);
    int err = REAL(pthread_barrier_destroy)(at);
    if (err == 0)
        barrier_drop(at);
    return err;
}

/* Who is parked is noted under the same lock as who comes last, and wakes. */
static struct round *round_enter(pthread_barrier_t *at, struct race_wait **wait, uintptr_t pc)
{
    barriers_lock();
    struct barrier *b = *barrier_find_locked(at);
    struct round *r = NULL;
    bool wakes = true;   /* in a crowd nobody knows who does */
    if (b) {
        if (++b->inside > b->count)
            b->crowded = true;
        if (!b->crowded) {
            if (!b->round)
                b->round = race_alloc(sizeof *b->round);
            r = b->round;
            r->inside++;
            wakes = ++r->arrived == b->count;
            if (wakes)
                b->round = NULL;
        }
    }
    *wait = wakes ? NULL : race_wait_enter(race_cur(), at, LOCK_BARRIER, pc);
    if (wakes)
        race_wait_wakes(at, true);
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
        race_sync_forget((uintptr_t)&r->meet, sizeof r->meet);
        race_free(r, sizeof *r);
    }
}

/* What is released at the barrier itself is for a crowded one. */
INTERPOSE int pthread_barrier_wait(pthread_barrier_t *at)
{
    struct race_g *g = race_cur();
    used(at, USE_SYNC, PC);
    struct race_wait *w;
    struct round *r = round_enter(at, &w, PC);
    if (r)
        race_release_merge(g, &r->meet);
    race_release_merge(g, at);
    int result = BLOCKING(REAL(pthread_barrier_wait)(at));
    race_wait_leave(w, true);
    race_acquire(g, r ? (void *)&r->meet : at);
    round_leave(at, r);
    return result;
}
