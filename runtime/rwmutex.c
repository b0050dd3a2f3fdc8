/* RWMutex: one word and two queues, of readers and of writers, under the lock of the address's bucket (sema.c).
 *
 * The word: WRITER, a writer holds it; WAITING, somebody is queued; STARVING, the first writer has waited too long; and the number of readers
 * that hold it. Without marks a reader comes in and leaves with one atomic operation, and so does a writer. The marks change
 * under the lock only, and while WAITING is set newcomers of both kinds queue, so:
 *
 * - a writer that waits keeps new readers out, and the last reader to leave hands the word to the first writer: it is not starved by readers;
 * - a writer that leaves lets all readers in that are queued, whatever writers are before them: they are not starved by writers;
 * - with writers only, it frees the word without marks and wakes the first, which then competes with those that are just running, as in
 *   mutex.c and for its reasons; if it loses it marks the word and queues as the first again, and after 1 ms with STARVING: then
 *   it is handed the word.
 *
 * Invariants: a word with WAITING and no holder is changed by nobody but the one who left last, who is on its way to hand it on. If a
 * queue is not empty, then WAITING is set, or there are writers only and one was woken that will set it. Who leaves does not touch the
 * rwmutex after the step that lets others in, who may free it.
 *
 * Acquire on getting in pairs with release on leaving. To the race detector readers must not look ordered by the word that they
 * share: what a writer releases is kept at the word's address, what readers release at that of the readers' queue, and only writers acquire there. */
#include <gort/sync.h>

#include "internal.h"
#include "os.h"

#define CALLER __builtin_return_address(0)

enum { WRITER = 1, WAITING = 2, STARVING = 4, MARKS = 7, READER = 8 };
static const int64_t STARVES_NS = 1000000;

static struct waitq *readers_of(go_rwmutex *rw)
{
    return (struct waitq *)rw->readers;
}

static struct waitq *writers_of(go_rwmutex *rw)
{
    return (struct waitq *)rw->writers;
}

static const void *written(const go_rwmutex *rw)
{
    return &rw->state;
}

static const void *read_by(const go_rwmutex *rw)
{
    return &rw->readers;
}

static uint32_t look(go_rwmutex *rw)
{
    return atomic_load_explicit(&rw->state, memory_order_relaxed);
}

static bool swap(go_rwmutex *rw, uint32_t *s, uint32_t to)
{
    return atomic_compare_exchange_weak_explicit(&rw->state, s, to, memory_order_acquire, memory_order_relaxed);
}

/* ---- readers ---- */

static bool take_read(go_rwmutex *rw)
{
    uint32_t s = look(rw);
    while (!(s & MARKS))
        if (swap(rw, &s, s + READER))
            return true;
    return false;
}

static rt_noinline void rlock_slow(go_rwmutex *rw)
{
    rt_enter();
    struct lock *l = sema_lock(rw);
    uint32_t s = look(rw);
    while (!(s & WAITING)) {
        bool in = !(s & MARKS);   /* a writer was just leaving */
        if (!swap(rw, &s, in ? s + READER : s | WAITING))
            continue;
        if (!in)
            break;
        unlock(l);
        rt_leave();
        return;
    }
    waitq_push(readers_of(rw), sema_waiter(rw, NULL));
    sema_park(l, rw, readers_of(rw), TIMER_NEVER, GORT_WAIT_RWMUTEX_RLOCK);   /* who let us in has counted us */
    rt_leave();
}

void go_rwmutex_rlock(go_rwmutex *rw)
{
    if (rt_unlikely(!take_read(rw))) {
        hook_lock_wanted(rt_race(), rw, HOOK_RWMUTEX_READ, CALLER);
        rlock_slow(rw);
    }
    hook_lock_begins(rt_race(), rw, HOOK_RWMUTEX_READ, false, CALLER);
    hook_acquire(rt_race(), written(rw));
    hook_lock_taken(rt_race(), rw, HOOK_RWMUTEX_READ, false, CALLER);
}

bool go_rwmutex_try_rlock(go_rwmutex *rw)
{
    bool locked = take_read(rw);
    if (locked) {
        hook_lock_begins(rt_race(), rw, HOOK_RWMUTEX_READ, true, CALLER);
        hook_acquire(rt_race(), written(rw));
        hook_lock_taken(rt_race(), rw, HOOK_RWMUTEX_READ, true, CALLER);
    }
    return locked;
}

/* ---- letting others in: the lock is held, WAITING is set and nobody else changes the word ---- */

static void set(go_rwmutex *rw, uint32_t s)
{
    uint32_t waiting = readers_of(rw)->first || writers_of(rw)->first ? WAITING : 0;
    atomic_store_explicit(&rw->state, s | waiting, memory_order_release);
}

/* The rwmutex is its first writer's. */
static struct g *hand_to_writer_locked(go_rwmutex *rw)
{
    struct waiter *w = waitq_pop(writers_of(rw));
    w->success = true;
    w->g->next = NULL;
    set(rw, WRITER);
    return w->g;
}

/* All queued readers are in. */
static struct g *let_readers_in_locked(go_rwmutex *rw)
{
    struct g *first = NULL, **last = &first;
    uint32_t n = 0;
    for (struct waiter *w; (w = waitq_pop(readers_of(rw))); n++) {
        w->success = true;
        *last = w->g;
        last = &w->g->next;
    }
    *last = NULL;
    set(rw, n * READER);
    return first;
}

/* The first writer may try its luck. */
static struct g *wake_writer_locked(go_rwmutex *rw)
{
    struct waiter *w = waitq_pop(writers_of(rw));
    atomic_store_explicit(&rw->state, 0, memory_order_release);
    if (!w)
        return NULL;
    w->g->next = NULL;
    return w->g;
}

static rt_noinline void runlock_slow(go_rwmutex *rw, uint32_t was)
{
    rt_enter();
    if (was < READER)
        rt_fatal("sync: RUnlock of unlocked RWMutex");
    struct lock *l = sema_lock(rw);
    struct g *ready = writers_of(rw)->first ? hand_to_writer_locked(rw) : let_readers_in_locked(rw);
    unlock(l);
    rt_ready_all(rt_m(), ready);
    rt_leave();
}

void go_rwmutex_runlock(go_rwmutex *rw)
{
    hook_lock_leaves(rt_race());
    hook_release_part(rt_race(), read_by(rw));
    hook_lock_released(rt_race(), rw, HOOK_RWMUTEX_READ);
    uint32_t was = atomic_fetch_sub_explicit(&rw->state, READER, memory_order_release);
    if (rt_unlikely(was < READER || (was < 2 * READER && (was & MARKS))))
        runlock_slow(rw, was);
}

/* ---- writers ---- */

static bool take_write(go_rwmutex *rw)
{
    uint32_t free = 0;
    return atomic_compare_exchange_strong_explicit(&rw->state, &free, WRITER, memory_order_acquire, memory_order_relaxed);
}

/* A short while: a writer may be about to leave on another processor. */
static bool spin(go_rwmutex *rw)
{
    for (int i = 0; i < 4; i++) {
        for (int k = 0; k < 30; k++)
            ctx_pause();
        uint32_t s = look(rw);
        if (s == 0 && take_write(rw))
            return true;
        if (s & ~(uint32_t)WRITER)   /* readers, or a queue */
            return false;
    }
    return false;
}

/* Under the lock: takes it if it is free, else marks it. */
static bool take_or_mark_locked(go_rwmutex *rw, bool starves)
{
    uint32_t s = look(rw);
    for (;;) {
        if (s == 0) {
            if (swap(rw, &s, WRITER | (writers_of(rw)->first ? WAITING : 0)))
                return true;
            continue;
        }
        uint32_t marked = s | WAITING | (starves && (s & WRITER) ? STARVING : 0);
        if (s == marked || swap(rw, &s, marked))
            return false;
    }
}

static rt_noinline void write_lock_slow(go_rwmutex *rw)
{
    rt_enter();
    int64_t since = 0;
    bool waited = false, starves = false, mine = spin(rw);
    while (!mine) {
        struct lock *l = sema_lock(rw);
        if (take_or_mark_locked(rw, starves)) {
            unlock(l);
            break;
        }
        struct waiter *w = sema_waiter(rw, NULL);
        if (waited) {
            waitq_push_first(writers_of(rw), w);
        } else {
            since = os_now();
            waitq_push(writers_of(rw), w);
        }
        mine = sema_park(l, rw, writers_of(rw), TIMER_NEVER, GORT_WAIT_RWMUTEX_LOCK);
        waited = true;
        starves = os_now() - since > STARVES_NS;
    }
    rt_leave();
}

void go_rwmutex_lock(go_rwmutex *rw)
{
    if (rt_unlikely(!take_write(rw))) {
        hook_lock_wanted(rt_race(), rw, HOOK_RWMUTEX_WRITE, CALLER);
        write_lock_slow(rw);
    }
    hook_lock_begins(rt_race(), rw, HOOK_RWMUTEX_WRITE, false, CALLER);
    hook_acquire(rt_race(), written(rw));
    hook_acquire(rt_race(), read_by(rw));
    hook_lock_taken(rt_race(), rw, HOOK_RWMUTEX_WRITE, false, CALLER);
}

bool go_rwmutex_try_lock(go_rwmutex *rw)
{
    bool locked = take_write(rw);
    if (locked) {
        hook_lock_begins(rt_race(), rw, HOOK_RWMUTEX_WRITE, true, CALLER);
        hook_acquire(rt_race(), written(rw));
        hook_acquire(rt_race(), read_by(rw));
        hook_lock_taken(rt_race(), rw, HOOK_RWMUTEX_WRITE, true, CALLER);
    }
    return locked;
}

static rt_noinline void unlock_slow(go_rwmutex *rw)
{
    struct m *m = rt_enter();
    struct lock *l = sema_lock(rw);
    uint32_t s = look(rw);
    if (!(s & WRITER)) {
        unlock(l);
        rt_fatal("sync: Unlock of unlocked RWMutex");
    }
    bool hand = false;
    struct g *ready;
    if (readers_of(rw)->first) {
        ready = let_readers_in_locked(rw);
    } else if ((s & STARVING) && writers_of(rw)->first) {
        ready = hand_to_writer_locked(rw);
        hand = true;
    } else {
        ready = wake_writer_locked(rw);
    }
    unlock(l);
    rt_ready_all(rt_m(), ready);
    if (hand && m->p)
        rt_yield();   /* to the new holder, which is next */
    rt_leave();
}

void go_rwmutex_unlock(go_rwmutex *rw)
{
    hook_lock_leaves(rt_race());
    hook_release_merge(rt_race(), written(rw));   /* a goroutine that is not the one that locked may know less than what is there */
    hook_lock_released(rt_race(), rw, HOOK_RWMUTEX_WRITE);
    uint32_t s = WRITER;
    if (rt_unlikely(!atomic_compare_exchange_strong_explicit(&rw->state, &s, 0, memory_order_release, memory_order_relaxed)))
        unlock_slow(rw);
}
