/* Stacks of goroutines: slices of large mappings, committed as they are touched, each with a guard at its low end. They are
 * never unmapped: a finished goroutine keeps its stack for the next one (g.c), so this file only ever grows.
 *
 * Layout of a slice, low to high: guard, stack, colour. The colour is a varying number of unused cache lines at the top: if all
 * stacks began at the same offset in their pages, the hot frames of a thousand goroutines would compete for a
 * few cache sets (34 ns a switch against 26). It stays well within one page, so a parked goroutine still touches one. */
#include "internal.h"
#include "os.h"

/* Valgrind is told of stacks, or it would take a switch for a very large frame. Its requests are a few instructions without effect elsewhere. */
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define VALGRIND_STACK_REGISTER(lo, hi) ((void)(lo), (void)(hi), 0u)
#define VALGRIND_STACK_DEREGISTER(id) ((void)(id))
#define RUNNING_ON_VALGRIND 0
#endif

enum { COLOURS = 24, BATCH_MAX = 128, PLENTY = 1024 };

static struct {
    struct lock lock;
    char *slab;          /* the mapping that is being cut */
    unsigned next;       /* its next slice */
    unsigned ready;      /* slices of it that have their guard */
    unsigned count;      /* stacks made */
} stacks = {.lock = LOCK_INIT(STACK), .next = RT_STACKS_PER_SLAB, .ready = RT_STACKS_PER_SLAB};

static char *slice(unsigned i)
{
    return stacks.slab + (size_t)i * RT_STACK_BYTES;
}

/* Gets the next slices ready, many with one system call: half as many as there are stacks already, so that few goroutines cost little and a million
 * cost half (a guard 0.5 us instead of 1.5, the page that a stack begins in 1.8 instead of 3). */
static bool prepare_locked(void)
{
    unsigned n = stacks.count / 2 + 1, left = RT_STACKS_PER_SLAB - stacks.next;
    n = n > BATCH_MAX ? BATCH_MAX : n;
    n = n > left ? left : n;
    if (RUNNING_ON_VALGRIND)   /* which doesn't know the call, and says so */
        n = 1;
    if (os_guard_many(slice(stacks.next), RT_STACK_BYTES, n, RT_STACK_GUARD_BYTES) < 0)
        return false;
    if (stacks.count >= PLENTY && n > 1)
        os_commit_many(slice(stacks.next) + RT_STACK_BYTES - OS_PAGE, RT_STACK_BYTES, n, OS_PAGE);
    stacks.ready = stacks.next + n;
    return true;
}

static bool new_slab_locked(void)
{
    char *slab = os_map((size_t)RT_STACKS_PER_SLAB * RT_STACK_BYTES);
    if (!slab)
        return false;
    stacks.slab = slab;
    stacks.next = stacks.ready = 0;
    return true;
}

bool stack_alloc(uintptr_t *lo, uintptr_t *hi)
{
    lock(&stacks.lock);
    bool ok = stacks.next < RT_STACKS_PER_SLAB || new_slab_locked();
    if (ok && stacks.next == stacks.ready)
        ok = prepare_locked();
    if (ok) {
        char *s = slice(stacks.next++);
        *lo = (uintptr_t)s + RT_STACK_GUARD_BYTES;
        (void)VALGRIND_STACK_REGISTER(*lo, s + RT_STACK_BYTES);
        *hi = (uintptr_t)s + RT_STACK_BYTES - stacks.count++ % COLOURS * RT_CACHE_LINE;
    }
    unlock(&stacks.lock);
    return ok;
}

bool stack_alloc_sized(size_t bytes, uintptr_t *lo, uintptr_t *hi, uint32_t *id)
{
    if (bytes > SIZE_MAX / 2)
        return false;
    size_t total = (bytes + 4095) / 4096 * 4096 + RT_STACK_GUARD_BYTES;
    char *p = os_map(total);
    if (!p)
        return false;
    if (os_guard(p, RT_STACK_GUARD_BYTES) < 0) {
        os_unmap(p, total);
        return false;
    }
    *lo = (uintptr_t)p + RT_STACK_GUARD_BYTES;
    *hi = (uintptr_t)p + total;
    *id = VALGRIND_STACK_REGISTER(*lo, *hi);
    return true;
}

void stack_free_sized(uintptr_t lo, uintptr_t hi, uint32_t id)
{
    VALGRIND_STACK_DEREGISTER(id);
    os_unmap((void *)(lo - RT_STACK_GUARD_BYTES), hi - lo + RT_STACK_GUARD_BYTES);
}
