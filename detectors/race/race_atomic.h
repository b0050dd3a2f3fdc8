/* The edges that an atomic operation's memory order makes, for whoever holds the address's sync lock while the operation is done.
 *
 * By C11: an acquire load sees what the release store whose value it reads left, or what a read-modify-write chain carried on from it (the release
 * sequence): a release store replaces what is at the address, a release read-modify-write joins to it, a relaxed one leaves it. A relaxed store
 * ends the sequences of other goroutines, not those that its own goroutine heads (C++20 dropped that exception, C has it). If both kinds are
 * there, because others' read-modify-writes came between, and the goroutine learned something since its own release, all are kept, for what it knew
 * then alone is not at hand: there C would drop the others.
 *
 * Relaxed orders nothing, but a fence can lend its order: a relaxed load remembers what it saw until an acquire fence makes it known; a release fence
 * publishes, and later relaxed stores leave what it published.
 *
 * The same goroutine again. A loop that adds to one atomic would begin a new epoch with each addition, and replace its own record in the shadow
 * word and at the address. Not if nobody can tell: it recorded and learned nothing since its last operation here, it published that value nowhere else
 * (race_g.only) and nobody looked at it (race_sync.seen). Then this operation belongs to the same epoch as the last one: whoever will learn of that
 * epoch will learn of both. Then nothing is changed but the atomic itself. */
#ifndef RACE_ATOMIC_H
#define RACE_ATOMIC_H

#include "race_access.h"
#include "race_sync.h"

typedef __int128 int128 __attribute__((aligned(16)));

enum { RELAXED, CONSUME, ACQUIRE, RELEASE, ACQ_REL, SEQ_CST };

/* The complement of the address that the thread has locked for an operation, while it does that: it may fault (race_atomic_left). 0: none. */
extern _Thread_local volatile uintptr_t race_atomic_at __attribute__((tls_model("initial-exec")));
#define OPERATE(addr, operation) \
    race_atomic_at = ~(uintptr_t)(addr); \
    operation; \
    race_atomic_at = 0

static inline bool acquires(int mo)
{
    return mo == CONSUME || mo == ACQUIRE || mo == ACQ_REL || mo == SEQ_CST;
}

static inline bool releases(int mo)
{
    return mo == RELEASE || mo == ACQ_REL || mo == SEQ_CST;
}

static inline void saw(struct race_g *g, struct race_sync *s, int mo)
{
    if (!s)
        return;
    if (acquires(mo))
        race_sync_acquire(g, s);
    else if (race_sync_is_known(g, s))
        return;
    else if (s->whole && s->value && clock_get(&g->fence_acquire, s->slot) >= s->value)
        s->seen = true;   /* noted before */
    else
        race_sync_join_into(s, &g->fence_acquire);
}

/* Whether the look without the lock was enough for a load. */
static inline bool nothing_to_see(const struct race_g *g, uintptr_t addr, const struct race_look *look, int mo)
{
    return acquires(mo) ? race_sync_is_settled(g, addr, look) : race_sync_is_noted(g, addr, look);
}

/* The value that g released last of what is part of s; 0: none. */
static inline uint32_t left_by(const struct race_g *g, const struct race_sync *s)
{
    return s->slot == g->slot ? s->value : clock_get(&s->own, g->slot);
}

/* A relaxed store: what others left goes. */
static inline void left_before(struct race_g *g, struct race_sync *s)
{
    uint32_t value = left_by(g, s);
    if (value == 0)
        race_sync_clear(s);
    else if (s->slot == g->slot && s->whole)
        clock_clear(&s->own);
    else if (value >= g->learned_at)
        race_sync_set(s, g->slot, value, &g->known);   /* the same that it knew then */
}

/* What a relaxed operation leaves on behalf of the last release fence. */
static inline void left_by_fence(struct race_g *g, struct race_sync *s, bool store)
{
    if (store)
        left_before(g, s);
    if (s->slot == g->fence_slot && s->whole && s->value >= g->fence_value)
        return;   /* more than that is there */
    if (race_sync_is_empty(s) || (s->whole && s->slot == g->fence_slot && s->own.root == NULL))
        race_sync_set(s, g->fence_slot, g->fence_value, &g->fence_release);
    else
        race_sync_leave_merge(s, g->fence_slot, g->fence_value, &g->fence_release, false);
}

/* The same goroutine again (see above). */
static inline bool goes_on(const struct race_g *g, const struct race_sync *s)
{
    return !g->recorded && g->only == s && s->slot == g->slot && s->value == g->clock - 1 && s->whole && !s->seen && g->learned_at != g->clock;
}

/* The access of a release. */
static inline uint64_t now_at(const struct race_g *g, uintptr_t addr, unsigned size)
{
    unsigned at = size == 8 ? 0 : addr & 7;
    return g->epoch | (((uint64_t)1 << size) - 1) << (at + MASK_SHIFT) | EPOCH_WRITE | EPOCH_ATOMIC;
}

/* A release of the present epoch, whose end comes in account(). */
static inline void leave(struct race_g *g, struct race_sync *s, bool store, bool knew)
{
    if (!store && s->whole && race_g_has_left_all(g, s->slot, s->value)) {
        s->value = g->clock;   /* who else is part of it stays so */
        s->seen = false;
    } else if (store || (s->slot == g->slot && s->whole && s->own.root == NULL)) {
        race_sync_leave(g, s, g->clock);
    } else {
        race_sync_leave_merge(s, g->slot, g->clock, &g->known, knew);
    }
    g->only = s;
    race_sync_owned(s);
}

/* Whether the operation belongs to the epoch before. */
static inline bool stored(struct race_g *g, struct race_sync *s, int mo)
{
    if (releases(mo)) {
        if (goes_on(g, s) && s->own.root == NULL)
            return true;
        leave(g, s, true, false);
    } else if (g->fence_value) {
        left_by_fence(g, s, true);
    } else if (s) {
        left_before(g, s);
    }
    return false;
}

static inline bool modified(struct race_g *g, struct race_sync *s, int mo)
{
    if (releases(mo)) {
        if (goes_on(g, s))
            return true;
        leave(g, s, false, race_sync_is_known(g, s));
    } else if (g->fence_value) {
        left_by_fence(g, s, false);
    }
    return false;
}

static inline bool is_checked(struct race_g *g)
{
    return !race_hook_is_off(g);
}

static inline bool leaves_something(const struct race_g *g, int mo)
{
    return releases(mo) || g->fence_value;
}

/* After the operation: the access is part of the epoch that it releases, which then ends; `before`: of the one before. Of a store it is recorded under
 * the sync lock, too: whoever learns of the epoch finds it recorded (who drops the last reference to an object frees it, counter and all). */
static inline __attribute__((always_inline)) void account(struct race_g *g, uintptr_t addr, unsigned size, unsigned kind, bool ends, bool before, uintptr_t pc)
{
    if (before)
        g->epoch -= epoch_make(0, 1);
    if (race_likely(size <= 8 && addr % size == 0 && !(addr >> 47))) {
        uint64_t now = now_at(g, addr, size) & ~(uint64_t)(EPOCH_WRITE & ~kind);
        uintptr_t slice = shadow_slice(addr);
        if (atomic_load_explicit(&shadow_in(slice, addr)->epoch, memory_order_relaxed) != now)
            race_access_miss_within(addr, pc, now, slice);
    } else {
        race_access_range(g, addr, size, kind | EPOCH_ATOMIC, pc);
    }
    if (before)
        g->epoch += epoch_make(0, 1);
    else if (ends)
        race_g_tick(g);
}

/* 16 bytes: one instruction does it all. */
static inline bool cas16(volatile int128 *a, int128 *c, int128 x)
{
    uint64_t lo = (uint64_t)*c, hi = (uint64_t)(*c >> 64);
    bool done;
    __asm__ volatile("lock cmpxchg16b %1" : "=@ccz"(done), "+m"(*a), "+a"(lo), "+d"(hi) : "b"((uint64_t)x), "c"((uint64_t)(x >> 64)) : "memory");
    *c = (int128)((unsigned __int128)hi << 64 | lo);
    return done;
}

static inline int128 read16(const volatile int128 *a)
{
    int128 v = 0;
    cas16((volatile int128 *)(uintptr_t)a, &v, 0);
    return v;
}

#endif
