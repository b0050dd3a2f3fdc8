/* The compilers' calls for atomics: the operation itself and the edges that its memory order makes (race_atomic.h), together under the address's sync
 * lock, so that the value read and the clock acquired belong to the same store. The operations run with sequentially consistent order whatever was asked.
 *
 * A thread that is alone with an atomic, in a region that is its own (race_bias.h), doesn't lock the address (alone_begin): while it is busy nobody else
 * gets to the sync, whose owner it is (race_sync_table.c). */
#include "race_atomic.h"
#include "race_signal.h"
#include "race_sync_table.h"

/* ---- a sync of the thread's own ---- */

enum alone { NOT_ALONE, SAME_EPOCH, NEW_EPOCH };

/* Whether the calling thread owns addr's sync, g released there last and knows nothing new, and its record in the shadow word differs at most in its
 * epoch. Then the thread is busy, and the operation may be done without the lock; alone_done follows. Others may be part of what is there: a store (only)
 * would end that. */
static inline __attribute__((always_inline)) enum alone alone_begin(const struct race_g *g, uintptr_t addr, unsigned size, int mo, bool store, uintptr_t pc)
{
    struct bias_thread *me = bias_me;
    bias_word region;
    if (size > 8 || addr % size || !releases(mo) || !race_pc_is_near(pc) || !bias_enter(me, addr, &region))
        return NOT_ALONE;
    const struct race_sync *s = g->only;   /* if it was freed meanwhile it is nobody's sync, or of another address: see race_sync_held */
    if (race_unlikely(!s || s->addr != addr))
        s = race_sync_held(addr);
    if (race_likely(s && __atomic_load_n(&s->owner, __ATOMIC_RELAXED) == me->id && s->whole && (!store || s->own.root == NULL) &&
                    race_g_has_left_all(g, s->slot, s->value))) {
        const struct shadow *w = shadow_in(shadow_slice(addr), addr);
        uint64_t e = atomic_load_explicit(&w->epoch, memory_order_relaxed), now = now_at(g, addr, size);
        if (goes_on(g, s) && e == now - epoch_make(0, 1))
            return SAME_EPOCH;
        uint32_t flags = atomic_load_explicit(&w->node, memory_order_relaxed) & (SHADOW_MORE | SHADOW_QUIET);
        if (((e ^ now) & ~EPOCH_CLOCK) == 0 && flags != SHADOW_MORE)   /* as in race_access.c: word_change_easy */
            return NEW_EPOCH;
    }
    bias_leave(me);
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
        __atomic_store_n(&s->alone, s->alone + 1, __ATOMIC_RELAXED);
        struct shadow *w = shadow_in(shadow_slice(addr), addr);
        uint32_t flags = atomic_load_explicit(&w->node, memory_order_relaxed) & ~(uint32_t)SHADOW_NODE;
        shadow_set(w, now_at(g, addr, size), g->node->id | flags, race_pc_pack_near(pc));
        bias_leave(bias_me);
        race_g_tick(g);
    } else {
        bias_leave(bias_me);
    }
}

/* ---- a fault in the operation itself ----
 * Its handler may leave for good, or do whatever a handler does: not with the lock held. If it returns, the operation is tried again. */

_Thread_local volatile uintptr_t race_atomic_at;

bool race_atomic_left(struct race_left *left)
{
    *left = (struct race_left){race_atomic_at, atomic_load_explicit(&bias_me->busy, memory_order_relaxed)};
    if (left->sync) {
        race_atomic_at = 0;
        race_sync_unlock(~left->sync);
    } else if (left->region) {
        bias_leave(bias_me);
    }
    return left->sync || left->region;
}

/* (A region may have been taken away meanwhile, and what is done there without the lock be lost: of a handler that mends the page of an atomic.) */
void race_atomic_back(const struct race_left *left)
{
    if (left->sync) {
        race_sync_lock(~left->sync, true);
        race_atomic_at = left->sync;
    } else if (left->region) {
        atomic_store_explicit(&bias_me->busy, left->region, memory_order_relaxed);
    }
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
        settled = nothing_to_see(g, ADDR, &look, mo); \
    } \
    if (!settled) { \
        struct race_sync *s = race_sync_lock(ADDR, false); \
        OPERATE(ADDR, v = now); \
        saw(g, s, mo); \
        race_sync_note(g, s, acquires(mo)); \
        race_sync_unlock_unchanged(ADDR); \
    } \
    account(g, ADDR, sizeof(T), 0, false, false, PC); \
    return v;

/* What changes an atomic is two functions: the hook, for who is alone with it, and the rest, which would only be in the way of the first one's registers. */
#define DEFINE_STORE(BITS, T, now) \
    static race_noinline void store_##BITS(volatile T *a, T x, int mo, uintptr_t pc) \
    { \
        struct race_g *g = race_cur(); \
        struct race_sync *s = race_sync_lock(ADDR, leaves_something(g, mo)); \
        OPERATE(ADDR, now); \
        bool before = stored(g, s, mo); \
        account(g, ADDR, sizeof(T), EPOCH_WRITE, releases(mo), before, pc); \
        race_sync_unlock(ADDR); \
    } \
    void __tsan_atomic##BITS##_store(volatile T *a, T x, int mo) \
    { \
        struct race_g *g = race_cur(); \
        enum alone how; \
        if (!is_checked(g)) { \
            now; \
        } else if ((how = alone_begin(g, ADDR, sizeof(T), mo, true, PC)) != NOT_ALONE) { \
            now; \
            alone_done(g, ADDR, sizeof(T), how, true, PC); \
        } else { \
            store_##BITS(a, x, mo, PC); \
        } \
    }

/* What writes the value that is there already, as who tries to set a flag that is set, again and again, does not lock the address either, if all that it
 * would leave is there: it would keep the one that is waited for from it. may_stay: whether it could be so, whatever is there; is: the value; next: the one
 * after `v`. */
#define DEFINE_MODIFY(BITS, T, name, may_stay, is, now, next) \
    static race_noinline T name##_##BITS(volatile T *a, T x, int mo, uintptr_t pc) \
    { \
        struct race_g *g = race_cur(); \
        struct race_look look; \
        bool left = releases(mo) && race_sync_has_left(g); \
        if ((may_stay) && (left || !leaves_something(g, mo)) && race_sync_look(ADDR, &look)) { \
            T v = is; \
            if (v == (T)(next) && (left ? race_sync_is_left(g, ADDR, &look, acquires(mo)) : nothing_to_see(g, ADDR, &look, mo))) { \
                if (!left) \
                    account(g, ADDR, sizeof(T), EPOCH_WRITE, false, false, pc); \
                return v; \
            } \
        } \
        struct race_sync *s = race_sync_lock(ADDR, leaves_something(g, mo)); \
        OPERATE(ADDR, T v = now); \
        saw(g, s, mo); \
        bool before = modified(g, s, mo); \
        account(g, ADDR, sizeof(T), EPOCH_WRITE, releases(mo), before, pc); \
        if (v != (T)(next)) { \
            race_sync_unlock(ADDR); \
        } else if (releases(mo)) { \
            race_sync_unlock_left(g, s, acquires(mo)); \
        } else if (g->fence_value) { \
            race_sync_unlock(ADDR); \
        } else { \
            race_sync_note(g, s, acquires(mo)); \
            race_sync_unlock_unchanged(ADDR); \
        } \
        return v; \
    } \
    T __tsan_atomic##BITS##_##name(volatile T *a, T x, int mo) \
    { \
        struct race_g *g = race_cur(); \
        if (!is_checked(g)) \
            return now; \
        enum alone how = alone_begin(g, ADDR, sizeof(T), mo, false, PC); \
        if (how == NOT_ALONE) \
            return name##_##BITS(a, x, mo, PC); \
        T v = now; \
        alone_done(g, ADDR, sizeof(T), how, true, PC); \
        return v; \
    }

/* Success has order mo; failure is a load of order fmo: who tries again and again does so without the lock, as a load does, and would else keep it from
 * the one that is waited for. gcc calls _strong and _weak with a pointer to what is expected, clang _val with the value. */
#define DEFINE_CAS(BITS, T, cas, now) \
    static race_noinline bool cas_##BITS(volatile T *a, T *c, T x, int mo, int fmo, uintptr_t pc) \
    { \
        struct race_g *g = race_cur(); \
        struct race_look look; \
        if (race_sync_look(ADDR, &look)) { \
            T v = now; \
            if (v != *c && nothing_to_see(g, ADDR, &look, fmo)) { \
                *c = v; \
                account(g, ADDR, sizeof(T), 0, false, false, pc); \
                return false; \
            } \
        } \
        struct race_sync *s = race_sync_lock(ADDR, leaves_something(g, mo)); \
        OPERATE(ADDR, bool done = cas); \
        saw(g, s, done ? mo : fmo); \
        bool before = done && modified(g, s, mo); \
        account(g, ADDR, sizeof(T), done ? EPOCH_WRITE : 0, done && releases(mo), before, pc); \
        if (done) { \
            race_sync_unlock(ADDR); \
        } else { \
            race_sync_note(g, s, acquires(fmo)); \
            race_sync_unlock_unchanged(ADDR); \
        } \
        return done; \
    } \
    static inline __attribute__((always_inline)) bool cas_here_##BITS(volatile T *a, T *c, T x, int mo, int fmo) \
    { \
        struct race_g *g = race_cur(); \
        if (!is_checked(g)) \
            return cas; \
        enum alone how = alone_begin(g, ADDR, sizeof(T), mo, false, PC); \
        if (how == NOT_ALONE) \
            return cas_##BITS(a, c, x, mo, fmo, PC); \
        bool done = cas; \
        alone_done(g, ADDR, sizeof(T), how, done, PC); \
        if (!done) \
            account(g, ADDR, sizeof(T), 0, false, false, PC); \
        return done; \
    } \
    int __tsan_atomic##BITS##_compare_exchange_strong(volatile T *a, T *c, T x, int mo, int fmo) { return cas_here_##BITS(a, c, x, mo, fmo); } \
    int __tsan_atomic##BITS##_compare_exchange_weak(volatile T *a, T *c, T x, int mo, int fmo) { return cas_here_##BITS(a, c, x, mo, fmo); } \
    T __tsan_atomic##BITS##_compare_exchange_val(volatile T *a, T c, T x, int mo, int fmo) \
    { \
        cas_here_##BITS(a, &c, x, mo, fmo); \
        return c; \
    }

/* The read-modify-writes of a type. NOW_IS: the value that is there; FETCH(name, value): does it, where `old` was there; is `old`. */
#define DEFINE_MODIFIES(BITS, T, NOW_IS, FETCH) \
    DEFINE_MODIFY(BITS, T, exchange, true, NOW_IS, FETCH(exchange, x), x) \
    DEFINE_MODIFY(BITS, T, fetch_add, !x, NOW_IS, FETCH(fetch_add, old + x), v + x) \
    DEFINE_MODIFY(BITS, T, fetch_sub, !x, NOW_IS, FETCH(fetch_sub, old - x), v - x) \
    DEFINE_MODIFY(BITS, T, fetch_and, true, NOW_IS, FETCH(fetch_and, old & x), v & x) \
    DEFINE_MODIFY(BITS, T, fetch_or, true, NOW_IS, FETCH(fetch_or, old | x), v | x) \
    DEFINE_MODIFY(BITS, T, fetch_xor, !x, NOW_IS, FETCH(fetch_xor, old ^ x), v ^ x) \
    DEFINE_MODIFY(BITS, T, fetch_nand, true, NOW_IS, FETCH(fetch_nand, ~(old & x)), ~(v & x))

#define NOW __atomic_load_n(a, __ATOMIC_SEQ_CST)
#define BUILTIN(name, value) BUILTIN_##name
#define BUILTIN_exchange __atomic_exchange_n(a, x, __ATOMIC_SEQ_CST)
#define BUILTIN_fetch_add __atomic_fetch_add(a, x, __ATOMIC_SEQ_CST)
#define BUILTIN_fetch_sub __atomic_fetch_sub(a, x, __ATOMIC_SEQ_CST)
#define BUILTIN_fetch_and __atomic_fetch_and(a, x, __ATOMIC_SEQ_CST)
#define BUILTIN_fetch_or __atomic_fetch_or(a, x, __ATOMIC_SEQ_CST)
#define BUILTIN_fetch_xor __atomic_fetch_xor(a, x, __ATOMIC_SEQ_CST)
#define BUILTIN_fetch_nand __atomic_fetch_nand(a, x, __ATOMIC_SEQ_CST)
#define DEFINE(BITS, T) \
    T __tsan_atomic##BITS##_load(const volatile T *a, int mo) { LOAD(T, NOW) } \
    DEFINE_STORE(BITS, T, __atomic_store_n(a, x, __ATOMIC_SEQ_CST)) \
    DEFINE_MODIFIES(BITS, T, NOW, BUILTIN) \
    DEFINE_CAS(BITS, T, __atomic_compare_exchange_n(a, c, x, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST), NOW)

/* 16 bytes: `value` of what was there, `old`, by compare-and-swap. */
#define LOOP16(name, value) \
    __extension__({ \
        int128 old = read16(a); \
        while (!cas16(a, &old, (value))) { \
        } \
        old; \
    })

#pragma GCC diagnostic ignored "-Wmissing-prototypes"
DEFINE(8, uint8_t)
DEFINE(16, uint16_t)
DEFINE(32, uint32_t)
DEFINE(64, uint64_t)
int128 __tsan_atomic128_load(const volatile int128 *a, int mo) { LOAD(int128, read16(a)) }
DEFINE_STORE(128, int128, (void)LOOP16(store, x))
DEFINE_MODIFIES(128, int128, read16(a), LOOP16)
DEFINE_CAS(128, int128, cas16(a, c, x), read16(a))

void __tsan_atomic_thread_fence(int mo)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    struct race_g *g = race_cur();
    if (!is_checked(g))
        return;
    if (acquires(mo)) {
        race_g_learn(g, &g->fence_acquire);
        clock_clear(&g->fence_acquire);
        g->noted_is_known = true;
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
