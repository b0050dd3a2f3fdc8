/* Atomics: the operation itself and the edges that its memory order makes, together under the address's sync lock, so that the value read and the
 * clock acquired belong to the same store.
 *
 * By C11: an acquire load sees what the release store whose value it reads left, or what a read-modify-write chain carried on from it (the release
 * sequence): a release store replaces what is at the address, a release read-modify-write joins to it, a relaxed one leaves it. A relaxed store
 * ends the sequences of other goroutines, not those that its own goroutine heads (C++20 dropped that exception, C has it). If both kinds are
 * there, because others' read-modify-writes came between, and the goroutine learned something since its own release, all are kept, for what it knew
 * then alone is not at hand: there C would drop the others.
 *
 * Relaxed orders nothing, but a fence can lend its order: a relaxed load remembers what it saw until an acquire fence makes it known; a release fence
 * publishes, and later relaxed stores leave what it published.
 * The operations run with sequentially consistent order whatever was asked.
 *
 * The same goroutine again. A loop that adds to one atomic would begin a new epoch with each addition, and replace its own record in the shadow
 * word and at the address. Not if nobody can tell: it recorded and learned nothing since its last operation here, it published that value nowhere else
 * (race_g.only) and nobody looked at it (race_sync.seen). Then this operation belongs to the same epoch as the last one: whoever will learn of that
 * epoch will learn of both. Then nothing is changed but the atomic itself.
 *
 * A thread that is alone with an atomic, in a region that is its own (race_bias.h), doesn't lock the address (alone_begin): while it is busy nobody else
 * gets to the sync, whose owner it is (race_sync.c). */
#include "race_access.h"
#include "race_sync.h"

typedef __int128 int128 __attribute__((aligned(16)));

enum { RELAXED, CONSUME, ACQUIRE, RELEASE, ACQ_REL, SEQ_CST };

static bool acquires(int mo)
{
    return mo == CONSUME || mo == ACQUIRE || mo == ACQ_REL || mo == SEQ_CST;
}

static bool releases(int mo)
{
    return mo == RELEASE || mo == ACQ_REL || mo == SEQ_CST;
}

static void saw(struct race_g *g, struct race_sync *s, int mo)
{
    if (!s)
        return;
    if (acquires(mo))
        race_sync_acquire(g, s);
    else if (!race_sync_is_known(g, s))
        race_sync_join_into(s, &g->fence_acquire);
}

/* The value that g released last of what is part of s; 0: none. */
static uint32_t left_by(const struct race_g *g, const struct race_sync *s)
{
    return s->slot == g->slot ? s->value : clock_get(&s->own, g->slot);
}

/* A relaxed store: what others left goes. */
static void left_before(struct race_g *g, struct race_sync *s)
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
static void left_by_fence(struct race_g *g, struct race_sync *s, bool store)
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
static bool goes_on(const struct race_g *g, const struct race_sync *s)
{
    return g->only == s && s->slot == g->slot && s->value == g->clock - 1 && s->whole && !s->seen && !g->recorded && g->learned_at != g->clock;
}

/* The access of a release. */
static inline uint64_t now_at(const struct race_g *g, uintptr_t addr, unsigned size)
{
    return g->epoch | (((uint64_t)1 << size) - 1) << ((addr & 7) + MASK_SHIFT) | EPOCH_WRITE | EPOCH_ATOMIC;
}

/* A release of the present epoch, whose end comes in account(). */
static void leave(struct race_g *g, struct race_sync *s, bool store, bool knew)
{
    if (!store && s->whole && race_sync_is_up_to_date(g, s->slot, s->value)) {
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
static bool stored(struct race_g *g, struct race_sync *s, int mo)
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

static bool modified(struct race_g *g, struct race_sync *s, int mo)
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

/* ---- a sync of the thread's own ---- */

enum alone { NOT_ALONE, SAME_EPOCH, NEW_EPOCH };

/* Whether the calling thread owns addr's sync, g released there last and knows nothing new, and its record in the shadow word differs at most in its
 * epoch. Then the thread is busy, and the operation may be done without the lock; alone_done follows. */
static inline __attribute__((always_inline)) enum alone alone_begin(const struct race_g *g, uintptr_t addr, unsigned size, int mo, uintptr_t pc)
{
    uint32_t region;
    if (size > 8 || addr % size || !releases(mo) || !race_pc_is_near(pc) || !bias_enter(bias_me, addr, &region))
        return NOT_ALONE;
    const struct race_sync *s = g->only;   /* if it was freed meanwhile it is nobody's sync, or of another address: see race_sync_held */
    if (race_unlikely(!s || s->addr != addr))
        s = race_sync_held(addr);
    if (race_likely(s && __atomic_load_n(&s->owner, __ATOMIC_RELAXED) == bias_me->id && race_sync_is_left_by(g, s))) {
        const struct shadow *w = shadow_in(shadow_slice(addr), addr);
        uint64_t e = atomic_load_explicit(&w->epoch, memory_order_relaxed), now = now_at(g, addr, size);
        if (goes_on(g, s) && e == now - epoch_make(0, 1))
            return SAME_EPOCH;
        uint32_t flags = atomic_load_explicit(&w->node, memory_order_relaxed) & (SHADOW_MORE | SHADOW_QUIET);
        if (((e ^ now) & ~EPOCH_CLOCK) == 0 && flags != SHADOW_MORE)   /* as in race_access.c: word_change_easy */
            return NEW_EPOCH;
    }
    bias_leave(bias_me);
    return NOT_ALONE;
}

/* released: a compare-and-swap that failed did not. */
static inline __attribute__((always_inline)) void alone_done(struct race_g *g, uintptr_t addr, unsigned size, enum alone how, bool released, uintptr_t pc)
{
    if (how == NEW_EPOCH && released) {
        struct race_sync *s = g->only;
        if (race_unlikely(!s || s->addr != addr))
            g->only = s = race_sync_held(addr);
        s->value = g->clock;
        s->seen = false;
        struct shadow *w = shadow_in(shadow_slice(addr), addr);
        uint32_t flags = atomic_load_explicit(&w->node, memory_order_relaxed) & ~(uint32_t)SHADOW_NODE;
        shadow_set(w, now_at(g, addr, size), g->node->id | flags, race_pc_pack_near(pc));
        bias_leave(bias_me);
        race_g_tick(g);
    } else {
        bias_leave(bias_me);
    }
}

static bool is_checked(struct race_g *g)
{
    return !race_hook_is_off(g);
}

static bool leaves_something(const struct race_g *g, int mo)
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

#define PC ((uintptr_t)__builtin_return_address(0))
#define ADDR ((uintptr_t)a)

/* Mostly there is nothing to learn, which a look without the lock tells. */
#define LOAD(T, now) \
    struct race_g *g = race_cur(); \
    if (!is_checked(g)) \
        return now; \
    T v; \
    struct race_look look; \
    bool settled = race_sync_look(ADDR, &look); \
    if (settled) { \
        v = now; \
        settled = race_sync_is_settled(g, ADDR, &look); \
    } \
    if (!settled) { \
        struct race_sync *s = race_sync_lock(ADDR, false); \
        v = now; \
        saw(g, s, mo); \
        race_sync_unlock_unchanged(ADDR); \
    } \
    account(g, ADDR, sizeof(T), 0, false, false, PC); \
    return v;

#define STORE(T, now) \
    struct race_g *g = race_cur(); \
    if (!is_checked(g)) { \
        now; \
        return; \
    } \
    enum alone how = alone_begin(g, ADDR, sizeof(T), mo, PC); \
    if (how) { \
        now; \
        alone_done(g, ADDR, sizeof(T), how, true, PC); \
        return; \
    } \
    struct race_sync *s = race_sync_lock(ADDR, leaves_something(g, mo)); \
    now; \
    bool before = stored(g, s, mo); \
    account(g, ADDR, sizeof(T), EPOCH_WRITE, releases(mo), before, PC); \
    race_sync_unlock(ADDR);

#define MODIFY(T, now) \
    struct race_g *g = race_cur(); \
    if (!is_checked(g)) \
        return now; \
    enum alone how = alone_begin(g, ADDR, sizeof(T), mo, PC); \
    if (how) { \
        T v = now; \
        alone_done(g, ADDR, sizeof(T), how, true, PC); \
        return v; \
    } \
    struct race_sync *s = race_sync_lock(ADDR, leaves_something(g, mo)); \
    T v = now; \
    saw(g, s, mo); \
    bool before = modified(g, s, mo); \
    account(g, ADDR, sizeof(T), EPOCH_WRITE, releases(mo), before, PC); \
    race_sync_unlock(ADDR); \
    return v;

/* Success has order mo; failure is a load of order fmo. */
#define EXCHANGE_IF(T, cas) \
    struct race_g *g = race_cur(); \
    if (!is_checked(g)) \
        return cas; \
    enum alone how = alone_begin(g, ADDR, sizeof(T), mo, PC); \
    if (how) { \
        bool done = cas; \
        alone_done(g, ADDR, sizeof(T), how, done, PC); \
        if (!done) \
            account(g, ADDR, sizeof(T), 0, false, false, PC); \
        return done; \
    } \
    struct race_sync *s = race_sync_lock(ADDR, leaves_something(g, mo)); \
    bool done = cas; \
    saw(g, s, done ? mo : fmo); \
    bool before = done && modified(g, s, mo); \
    account(g, ADDR, sizeof(T), done ? EPOCH_WRITE : 0, done && releases(mo), before, PC); \
    race_sync_unlock(ADDR); \
    return done;

#define DEFINE(BITS, T) \
    T __tsan_atomic##BITS##_load(const volatile T *a, int mo) { LOAD(T, __atomic_load_n(a, __ATOMIC_SEQ_CST)) } \
    void __tsan_atomic##BITS##_store(volatile T *a, T x, int mo) { STORE(T, __atomic_store_n(a, x, __ATOMIC_SEQ_CST)) } \
    T __tsan_atomic##BITS##_exchange(volatile T *a, T x, int mo) { MODIFY(T, __atomic_exchange_n(a, x, __ATOMIC_SEQ_CST)) } \
    T __tsan_atomic##BITS##_fetch_add(volatile T *a, T x, int mo) { MODIFY(T, __atomic_fetch_add(a, x, __ATOMIC_SEQ_CST)) } \
    T __tsan_atomic##BITS##_fetch_sub(volatile T *a, T x, int mo) { MODIFY(T, __atomic_fetch_sub(a, x, __ATOMIC_SEQ_CST)) } \
    T __tsan_atomic##BITS##_fetch_and(volatile T *a, T x, int mo) { MODIFY(T, __atomic_fetch_and(a, x, __ATOMIC_SEQ_CST)) } \
    T __tsan_atomic##BITS##_fetch_or(volatile T *a, T x, int mo) { MODIFY(T, __atomic_fetch_or(a, x, __ATOMIC_SEQ_CST)) } \
    T __tsan_atomic##BITS##_fetch_xor(volatile T *a, T x, int mo) { MODIFY(T, __atomic_fetch_xor(a, x, __ATOMIC_SEQ_CST)) } \
    T __tsan_atomic##BITS##_fetch_nand(volatile T *a, T x, int mo) { MODIFY(T, __atomic_fetch_nand(a, x, __ATOMIC_SEQ_CST)) } \
    DEFINE_CAS(BITS, T, __atomic_compare_exchange_n(a, c, x, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))

/* gcc calls _strong and _weak with a pointer to what is expected, clang _val with the value. */
#define DEFINE_CAS(BITS, T, operation) \
    static inline __attribute__((always_inline)) bool cas_##BITS(volatile T *a, T *c, T x, int mo, int fmo) { EXCHANGE_IF(T, operation) } \
    int __tsan_atomic##BITS##_compare_exchange_strong(volatile T *a, T *c, T x, int mo, int fmo) { return cas_##BITS(a, c, x, mo, fmo); } \
    int __tsan_atomic##BITS##_compare_exchange_weak(volatile T *a, T *c, T x, int mo, int fmo) { return cas_##BITS(a, c, x, mo, fmo); } \
    T __tsan_atomic##BITS##_compare_exchange_val(volatile T *a, T c, T x, int mo, int fmo) { cas_##BITS(a, &c, x, mo, fmo); return c; }

#pragma GCC diagnostic ignored "-Wmissing-prototypes"
DEFINE(8, uint8_t)
DEFINE(16, uint16_t)
DEFINE(32, uint32_t)
DEFINE(64, uint64_t)

/* 16 bytes: one instruction does it all. */
static bool cas16(volatile int128 *a, int128 *c, int128 x)
{
    uint64_t lo = (uint64_t)*c, hi = (uint64_t)(*c >> 64);
    bool done;
    __asm__ volatile("lock cmpxchg16b %1" : "=@ccz"(done), "+m"(*a), "+a"(lo), "+d"(hi) : "b"((uint64_t)x), "c"((uint64_t)(x >> 64)) : "memory");
    *c = (int128)((unsigned __int128)hi << 64 | lo);
    return done;
}

static int128 read16(const volatile int128 *a)
{
    int128 v = 0;
    cas16((volatile int128 *)(uintptr_t)a, &v, 0);
    return v;
}

#define LOOP16(expression) \
    __extension__({ \
        int128 old = read16(a); \
        while (!cas16(a, &old, (expression))) { \
        } \
        old; \
    })

int128 __tsan_atomic128_load(const volatile int128 *a, int mo) { LOAD(int128, read16(a)) }
void __tsan_atomic128_store(volatile int128 *a, int128 x, int mo) { STORE(int128, (void)LOOP16(x)) }
int128 __tsan_atomic128_exchange(volatile int128 *a, int128 x, int mo) { MODIFY(int128, LOOP16(x)) }
int128 __tsan_atomic128_fetch_add(volatile int128 *a, int128 x, int mo) { MODIFY(int128, LOOP16(old + x)) }
int128 __tsan_atomic128_fetch_sub(volatile int128 *a, int128 x, int mo) { MODIFY(int128, LOOP16(old - x)) }
int128 __tsan_atomic128_fetch_and(volatile int128 *a, int128 x, int mo) { MODIFY(int128, LOOP16(old & x)) }
int128 __tsan_atomic128_fetch_or(volatile int128 *a, int128 x, int mo) { MODIFY(int128, LOOP16(old | x)) }
int128 __tsan_atomic128_fetch_xor(volatile int128 *a, int128 x, int mo) { MODIFY(int128, LOOP16(old ^ x)) }
int128 __tsan_atomic128_fetch_nand(volatile int128 *a, int128 x, int mo) { MODIFY(int128, LOOP16(~(old & x))) }
DEFINE_CAS(128, int128, cas16(a, c, x))

void __tsan_atomic_thread_fence(int mo)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    struct race_g *g = race_cur();
    if (!is_checked(g))
        return;
    if (acquires(mo)) {
        race_g_learn(g, &g->fence_acquire);
        clock_clear(&g->fence_acquire);
    }
    if (releases(mo)) {
        g->fence_slot = g->slot;
        g->fence_value = race_g_value(g);
        clock_copy(&g->fence_release, &g->known);
        race_g_publish(g);
    }
}

void __tsan_atomic_signal_fence(int mo)
{
    (void)mo;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}
