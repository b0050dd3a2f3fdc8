/* Mutex: a word, after Drepper's "Futexes Are Tricky", with Go's two modes. Goroutines park where threads would sleep.
 *
 * The word is 0, free, or LOCKED with what its unlock must see to: WAITERS, somebody may be parked in its queue (sema.c); STARVING.
 * Free is 0 alone. So one compare-and-swap locks and one subtraction unlocks, unless there is a mark: then the word is not free yet (marks
 * without LOCKED: an unlock is at work), and the unlock takes the marks away with a compare-and-swap. Whoever frees the word touches the mutex
 * no more: the next holder may free its memory.
 *
 * Normal mode. The unlock frees the word and wakes the first waiter, which then takes part in the race for it with those that are just
 * running; they mostly win: that is what makes a contended mutex fast. The word is without marks meanwhile, so they lock and unlock at
 * full speed; the woken one takes it with WAITERS, since others may wait still, or, if it loses, marks it and parks again as the first.
 * Invariant: if the queue is not empty, then WAITERS is set, or a woken goroutine is on its way that will set it.
 *
 * Starvation mode. A waiter that lost after more than 1 ms sets STARVING. The unlock then does not free the word but hands it, locked,
 * to the first waiter, and lets it run at once; newcomers see it locked and queue as the last. The mode ends when the one that gets it
 * is the last of the queue, or has waited for less than 1 ms: handing over costs a switch for each critical section, so it must not stay.
 * Only the holder ends the mode, in its unlock or when it was handed the mutex.
 *
 * While nobody waits for it the unlock is a plain store of 0, if the word was LOCKED alone (contended.h). It may overwrite marks that were set
 * meanwhile, and then wakes a waiter all the same, with nothing of the mutex's but its address.
 *
 * Acquire on taking pairs with release on freeing; a hand-over is ordered by the queue's lock and the scheduler's. */
#define GORT_NO_INLINE   /* the functions are here */
#include <gort/sync.h>

#include "contended.h"
#include "internal.h"
#include "os.h"

enum { FREE = 0, LOCKED = 1, WAITERS = 2, STARVING = 4 };
static const int64_t STARVES_NS = 1000000;

static bool take(go_mutex *mu, uint32_t as)
{
    uint32_t free = FREE;
    return atomic_compare_exchange_strong_explicit(&mu->state, &free, as, memory_order_acquire, memory_order_relaxed);
}

/* Without a look at it meanwhile: the holder can lock and unlock some dozens of times with all that the mutex guards in its cache. With race detection
 * that takes longer. */
static void look_away(const go_mutex *mu, bool first)
{
    enum { PAUSES = 30 };
    if (HOOK_IS_ON)
        hook_look_away(mu, first);
    else
        for (int i = 0; i < PAUSES; i++)
            ctx_pause();
}

/* A short while: the holder may be about to unlock on another processor. */
static bool spin(go_mutex *mu, uint32_t as)
{
    enum { LOOKS = HOOK_IS_ON ? 10 : 4 };
    for (int i = 0; i < LOOKS; i++) {
        look_away(mu, i == 0);
        uint32_t s = atomic_load_explicit(&mu->state, memory_order_relaxed);
        if (s == FREE && take(mu, as))
            return true;
        if (s & STARVING)   /* it will not be free */
            return false;
    }
    return false;
}

/* The queue's address, and back. */
static void *queue_of(go_mutex *mu)
{
    return (char *)mu + SEMA_MUTEX;
}

static go_mutex *mutex_of(const void *queue)
{
    return (go_mutex *)((uintptr_t)queue - SEMA_MUTEX);
}

/* Under the queue's lock: who has set its marks and finds them gone must look again. */
static bool still_marked(const void *queue)
{
    return contended_is(queue) && atomic_load_explicit(&mutex_of(queue)->state, memory_order_relaxed) & WAITERS;
}

/* Called by the public header's code, too. */
void gort_mutex_lock_slow(go_mutex *m);
void gort_mutex_unlock_slow(go_mutex *m);
void gort_mutex_unlocked(go_mutex *m);

rt_noinline void gort_mutex_lock_slow(go_mutex *mu)
{
    rt_enter();
    uint32_t as = LOCKED, marks = WAITERS;
    int64_t since = 0;
    bool waited = false;
    if (spin(mu, as)) {
        rt_leave();
        return;
    }
    for (;;) {
        uint32_t s = atomic_load_explicit(&mu->state, memory_order_relaxed);
        if (s == FREE) {
            if (take(mu, as))
                break;
            continue;
        }
        if (!contended_already(mu))
            continue;
        if ((s | marks) != s &&
            !atomic_compare_exchange_weak_explicit(&mu->state, &s, s | marks, memory_order_relaxed, memory_order_relaxed))
            continue;
        if (!waited)
            since = os_now();
        enum sema_result r = sema_wait(queue_of(mu), still_marked, waited, GORT_WAIT_MUTEX);
        if (r == SEMA_NOT_PARKED)
            continue;
        waited = true;
        as = LOCKED | WAITERS;
        bool starves = os_now() - since > STARVES_NS;
        if (r == SEMA_HANDED) {
            if (!starves)
                atomic_fetch_and_explicit(&mu->state, ~(uint32_t)STARVING, memory_order_relaxed);
            break;
        }
        if (starves)
            marks = WAITERS | STARVING;
    }
    rt_leave();
}

#define CALLER __builtin_return_address(0)

/* Where the race detector keeps what a mutex orders: an address that no program gives it for purposes of its own (go_race_acquire). */
static const void *held_at(const go_mutex *m)
{
    return &m->reserved;
}

static inline __attribute__((always_inline)) void lock_at(go_mutex *m, const void *pc)
{
    if (rt_unlikely(!take(m, LOCKED))) {
        hook_lock_wanted(rt_race(), m, HOOK_MUTEX, pc);
        gort_mutex_lock_slow(m);
    }
    hook_lock(rt_race(), m, held_at(m), false, pc);
}

void go_mutex_lock(go_mutex *m)
{
    lock_at(m, CALLER);
}

void rt_mutex_lock_at(go_mutex *m, const void *pc)
{
    lock_at(m, pc);
}

bool go_mutex_try_lock(go_mutex *m)
{
    bool locked = take(m, LOCKED);
    if (locked)
        hook_lock(rt_race(), m, held_at(m), true, CALLER);
    return locked;
}

/* Under the queue's lock, when `woken`, 0 or 1, have been taken out. Nobody else changes a word that is STARVING. */
static bool hand_over(void *queue, int woken, bool more)
{
    /* Nobody there: who set STARVING has not parked yet, and will find its marks gone. */
    uint32_t s = woken == 0 ? FREE : more ? LOCKED | WAITERS | STARVING : LOCKED;
    atomic_store_explicit(&mutex_of(queue)->state, s, memory_order_release);
    return true;
}

/* LOCKED was taken off, and something is left. Others may add marks to it, nothing else. */
static rt_noinline void unlock_marked(go_mutex *mu)
{
    struct m *m = rt_enter();
    uint32_t s = atomic_load_explicit(&mu->state, memory_order_relaxed);
    if (s & LOCKED)   /* below zero, or borrowed from a mark: it was not there to be taken off */
        rt_fatal("sync: unlock of unlocked mutex");
    for (;;) {
        if (s & STARVING) {
            if (sema_wake(queue_of(mu), 1, hand_over) > 0 && m->p)
                rt_yield();   /* to the new holder, which is next */
            break;
        }
        if (atomic_compare_exchange_weak_explicit(&mu->state, &s, FREE, memory_order_release, memory_order_relaxed)) {
            if (s & WAITERS)
                sema_wake(queue_of(mu), 1, NULL);
            break;
        }
    }
    rt_leave();
}

/* With an atomic instruction. */
void gort_mutex_unlock_slow(go_mutex *mu)
{
    if (rt_unlikely(atomic_fetch_sub_explicit(&mu->state, LOCKED, memory_order_release) != LOCKED))
        unlock_marked(mu);
}

/* The mutex, unlocked by a store, may be gone. The fence: the store is there before the queue is looked at. */
rt_noinline void gort_mutex_unlocked(go_mutex *mu)
{
    atomic_thread_fence(memory_order_seq_cst);
    rt_enter();
    sema_wake(queue_of(mu), 1, NULL);
    rt_leave();
}

#ifdef RT_DEBUG
static void lose_time(void)
{
    static _Thread_local uint32_t s;
    s = s * 1664525 + 1013904223;
    if (sched_perturbs && s >> 28 == 0)
        os_thread_yield();
    else if (sched_perturbs && s >> 26 == 4)
        os_nanosleep(20000);
}

/* gort_mutex_unlock_inline, that may be overtaken between any two steps. */
static void unlock_plainly(go_mutex *m)
{
    unsigned char *contended = &gort_mutex_contended[gort_mutex_bucket(m)];
    if (atomic_load_explicit(&m->state, memory_order_relaxed) != LOCKED || __atomic_load_n(contended, __ATOMIC_RELAXED)) {
        gort_mutex_unlock_slow(m);
        return;
    }
    lose_time();
    atomic_store_explicit(&m->state, FREE, memory_order_release);
    atomic_signal_fence(memory_order_seq_cst);
    lose_time();
    if (__atomic_load_n(contended, __ATOMIC_RELAXED))
        gort_mutex_unlocked(m);
}
#else
#define unlock_plainly gort_mutex_unlock_inline
#endif

void go_mutex_unlock(go_mutex *m)
{
    hook_unlock(rt_race(), m, held_at(m));
    unlock_plainly(m);
}
