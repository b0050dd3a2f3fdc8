/* Atomics of any size and alignment: what compilers leave to libatomic (an _Atomic structure of 24 bytes; clang: one of 8 that is aligned to 4). These stand
 * in its place, for shared libraries too.
 *
 * What a processor does at once it does so here too, as the same object may be accessed by the compilers' own calls (race_atomic.c); for the rest the
 * address's sync lock is all there is. Both under it, and whether the caller is checked or not. The other arguments are memory of the caller's. */
#include <string.h>

#include "race_atomic.h"
#include "race_libc.h"

/* A signal that comes while libc copies or compares, with the lock held, is deferred. */
#define OPERATE_ANY(addr, operation) \
    race_deferring++; \
    OPERATE(addr, operation); \
    race_deferring--

static bool is_at_once(size_t n, const volatile void *at)
{
    return n <= 16 && (n & (n - 1)) == 0 && (uintptr_t)at % n == 0;
}

static void read_any(size_t n, const volatile void *at, void *to)
{
#define READ(N, T, now) \
    case N: { \
        T v = now; \
        __builtin_memcpy(to, &v, N); \
        return; \
    }
    switch (is_at_once(n, at) ? n : 0) {
        READ(1, uint8_t, __atomic_load_n((const volatile uint8_t *)at, __ATOMIC_SEQ_CST))
        READ(2, uint16_t, __atomic_load_n((const volatile uint16_t *)at, __ATOMIC_SEQ_CST))
        READ(4, uint32_t, __atomic_load_n((const volatile uint32_t *)at, __ATOMIC_SEQ_CST))
        READ(8, uint64_t, __atomic_load_n((const volatile uint64_t *)at, __ATOMIC_SEQ_CST))
        READ(16, int128, read16(at))
    default: memcpy(to, (const void *)(uintptr_t)at, n);
    }
}

static bool cas_any(size_t n, volatile void *at, void *expected, const void *desired)
{
#define CAS(N, T, cas) \
    case N: { \
        T old, new; \
        __builtin_memcpy(&old, expected, N); \
        __builtin_memcpy(&new, desired, N); \
        bool done = cas; \
        __builtin_memcpy(expected, &old, N); \
        return done; \
    }
#define CAS_N(T) __atomic_compare_exchange_n((volatile T *)at, &old, new, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
    switch (is_at_once(n, at) ? n : 0) {
        CAS(1, uint8_t, CAS_N(uint8_t))
        CAS(2, uint16_t, CAS_N(uint16_t))
        CAS(4, uint32_t, CAS_N(uint32_t))
        CAS(8, uint64_t, CAS_N(uint64_t))
        CAS(16, int128, cas16(at, &old, new))
    }
    void *is = (void *)(uintptr_t)at;
    bool done = memcmp(is, expected, n) == 0;
    if (done)
        memcpy(is, desired, n);
    else
        memcpy(expected, is, n);
    return done;
}

/* old: NULL, or for what was there. */
static void exchange_any(size_t n, volatile void *at, const void *desired, void *old)
{
    char few[16];
    if (!old && !is_at_once(n, at)) {
        memcpy((void *)(uintptr_t)at, desired, n);
        return;
    }
    old = old ? old : few;
    read_any(n, at, old);
    while (!cas_any(n, at, old, desired)) {
    }
}

/* Whether the calling goroutine is checked: then it accesses what it has given. */
static bool gives(struct race_g *g, size_t n, const void *reads, const void *writes, uintptr_t pc)
{
    if (!is_checked(g))
        return false;
    if (reads)
        race_access_range(g, (uintptr_t)reads, n, 0, pc);
    if (writes)
        race_access_range(g, (uintptr_t)writes, n, EPOCH_WRITE, pc);
    return true;
}

static void load_any(size_t n, const volatile void *at, void *to, int mo, uintptr_t pc)
{
    struct race_g *g = race_cur();
    uintptr_t addr = (uintptr_t)at;
    if (n == 0)
        return;
    bool checked = gives(g, n, NULL, to, pc);
    struct race_sync *s = race_sync_lock(addr, false);
    OPERATE_ANY(addr, read_any(n, at, to));
    if (checked)
        saw(g, s, mo);
    race_sync_unlock_unchanged(addr);
    if (checked)
        account(g, addr, (unsigned)n, 0, false, false, pc);
}

/* old: not NULL of an exchange, which is of order mo in both directions. */
static void write_any(size_t n, volatile void *at, const void *desired, void *old, int mo, uintptr_t pc)
{
    struct race_g *g = race_cur();
    uintptr_t addr = (uintptr_t)at;
    if (n == 0)
        return;
    bool checked = gives(g, n, desired, old, pc);
    struct race_sync *s = race_sync_lock(addr, checked && leaves_something(g, mo));
    OPERATE_ANY(addr, exchange_any(n, at, desired, old));
    if (!checked) {
        race_sync_unlock_unchanged(addr);
        return;
    }
    if (old)
        saw(g, s, mo);
    bool before = old ? modified(g, s, mo) : stored(g, s, mo);
    account(g, addr, (unsigned)n, EPOCH_WRITE, releases(mo), before, pc);
    race_sync_unlock(addr);
}

#define LIBATOMIC(name) __asm__("__atomic_" name) __attribute__((weak, visibility("default")))
void any_load(size_t n, const volatile void *at, void *to, int mo) LIBATOMIC("load");
void any_store(size_t n, volatile void *at, void *desired, int mo) LIBATOMIC("store");
void any_exchange(size_t n, volatile void *at, void *desired, void *old, int mo) LIBATOMIC("exchange");
bool any_compare_exchange(size_t n, volatile void *at, void *expected, void *desired, int mo, int fmo) LIBATOMIC("compare_exchange");

void any_load(size_t n, const volatile void *at, void *to, int mo)
{
    load_any(n, at, to, mo, PC);
}

void any_store(size_t n, volatile void *at, void *desired, int mo)
{
    write_any(n, at, desired, NULL, mo, PC);
}

void any_exchange(size_t n, volatile void *at, void *desired, void *old, int mo)
{
    write_any(n, at, desired, old, mo, PC);
}

bool any_compare_exchange(size_t n, volatile void *at, void *expected, void *desired, int mo, int fmo)
{
    struct race_g *g = race_cur();
    if (n == 0)
        return true;
    bool checked = gives(g, n, desired, NULL, PC) && gives(g, n, expected, NULL, PC);
    struct race_sync *s = race_sync_lock((uintptr_t)at, checked && leaves_something(g, mo));
    OPERATE_ANY((uintptr_t)at, bool done = cas_any(n, at, expected, desired));
    if (!checked) {
        race_sync_unlock_unchanged((uintptr_t)at);
        return done;
    }
    saw(g, s, done ? mo : fmo);
    bool before = done && modified(g, s, mo);
    account(g, (uintptr_t)at, (unsigned)n, done ? EPOCH_WRITE : 0, done && releases(mo), before, PC);
    race_sync_unlock((uintptr_t)at);
    if (!done)
        race_access_range(g, (uintptr_t)expected, n, EPOCH_WRITE, PC);
    return done;
}
