/* Contended mutexes, by buckets. The protocol is in contended.h. Invariants, under the queue's lock: a bucket in which a waiter of a mutex is parked is
 * CONTENDED; `turns` changes when a bucket leaves QUIET. */
#define GORT_NO_INLINE
#include "contended.h"

#include <gort/sync.h>
#include <string.h>

#include "internal.h"
#include "note.h"
#include "os.h"

enum { QUIET = 0, TURNING = 1, CONTENDED = 2 };
enum { LOOKS_MAX = 128 };
static const int64_t LOOK_NS = 100000000;

unsigned char gort_mutex_contended[GORT_MUTEX_BUCKETS];   /* read without the lock by every unlock */

static struct place {
    uint32_t turns;
    uint16_t looks;        /* (the monitor's) in a row that found nobody, since somebody waited */
    uint16_t looks_due;    /* (the monitor's) so many, or one, make it quiet */
    atomic_bool waited;    /* (relaxed: a hint) somebody has waited since the last look */
} places[GORT_MUTEX_BUCKETS];
static atomic_uint nturned;   /* buckets that are not quiet: a hint */
static bool for_ever;         /* set before there are two threads */

static unsigned char *state_of(const void *mu)
{
    return &gort_mutex_contended[gort_mutex_bucket(mu)];
}

static unsigned state(const void *mu)
{
    return __atomic_load_n(state_of(mu), __ATOMIC_RELAXED);
}

static void set_state(const void *mu, unsigned to)
{
    __atomic_store_n(state_of(mu), (unsigned char)to, __ATOMIC_RELAXED);
}

/* Before the program's own constructors. */
__attribute__((constructor(101))) static void look_for_membarrier(void)
{
    for_ever = !os_membarrier();
    if (for_ever)
        memset(gort_mutex_contended, CONTENDED, sizeof gort_mutex_contended);
}

bool contended_is(const void *mu)
{
    return state(mu) == CONTENDED;
}

static void make(const void *mu, struct place *p)
{
    struct lock *l = sema_lock(mu);
    if (state(mu) == QUIET) {
        set_state(mu, TURNING);
        p->turns++;
        /* Then it is read whether the monitor sleeps, which reads this after it has said so (monitor_main). */
        atomic_fetch_add_explicit(&nturned, 1, memory_order_seq_cst);
    }
    uint32_t turn = p->turns;
    bool turns = state(mu) == TURNING;
    unlock(l);
    if (!turns)
        return;
    if (atomic_load_explicit(&sched.monitor_asleep, memory_order_seq_cst))
        note_wake(&sched.monitor_note);
    if (!os_membarrier())
        rt_fatal("sync: the kernel refuses membarrier(), which it allowed before: if this is a seccomp filter of the program's, it must allow membarrier");
    sema_lock(mu);
    if (state(mu) == TURNING && p->turns == turn)
        set_state(mu, CONTENDED);
    unlock(l);
}

bool contended_already(const void *mu)
{
    struct place *p = &places[gort_mutex_bucket(mu)];
    if (!atomic_load_explicit(&p->waited, memory_order_relaxed))
        atomic_store_explicit(&p->waited, true, memory_order_relaxed);
    if (rt_likely(contended_is(mu)))
        return true;
    make(mu, p);
    return false;
}

/* False: it would be quiet, but somebody is parked there. */
static bool look_at(unsigned bucket)
{
    struct place *p = &places[bucket];
    if (atomic_load_explicit(&p->waited, memory_order_relaxed)) {
        atomic_store_explicit(&p->waited, false, memory_order_relaxed);
        p->looks = 0;
        return true;
    }
    if (++p->looks < p->looks_due)
        return true;
    struct lock *l = sema_lock_bucket(bucket);
    bool quiet = gort_mutex_contended[bucket] == CONTENDED && !sema_has_mutex_waiters(bucket);
    if (quiet)
        __atomic_store_n(&gort_mutex_contended[bucket], QUIET, __ATOMIC_RELAXED);
    unlock(l);
    p->looks = 0;
    if (quiet) {
        atomic_fetch_sub_explicit(&nturned, 1, memory_order_relaxed);
        p->looks_due = p->looks_due < LOOKS_MAX / 2 ? 2 * p->looks_due + 1 : LOOKS_MAX;
    }
    return quiet;
}

bool contended_look(int64_t now)
{
    static int64_t next;
    static unsigned in_use;   /* buckets that were left because somebody is parked there */
    if (for_ever || now < next || atomic_load_explicit(&nturned, memory_order_seq_cst) == 0)
        return !for_ever && atomic_load_explicit(&nturned, memory_order_seq_cst) > in_use;
    in_use = 0;
    next = now + LOOK_NS;
#ifdef RT_DEBUG
    if (sched_perturbs)
        next = now;
#endif
    for (unsigned i = 0; i < GORT_MUTEX_BUCKETS; i++)
        if (__atomic_load_n(&gort_mutex_contended[i], __ATOMIC_RELAXED) == CONTENDED)
            in_use += !look_at(i);
    return atomic_load_explicit(&nturned, memory_order_seq_cst) > in_use;
}
