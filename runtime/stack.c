/* Stacks of goroutines: slices of large mappings, committed as they are touched, each with a guard at its low end. They are
 * never unmapped: a finished goroutine keeps its stack for the next one (g.c), so this file only ever grows.
 *
 * Layout of a slice, low to high: guard, stack, colour. The colour is a varying number of unused cache lines at the top: if all
 * stacks began at the same offset in their pages, the hot frames of a thousand goroutines would compete for a
 * few cache sets (34 ns a switch against 26). It stays well within one page, so a parked goroutine still touches one. */
#include "internal.h"
#include "os.h"

enum { COLOURS = 24 };

static struct {
    struct lock lock;
    char *slab;          /* the mapping that is being cut */
    unsigned next;       /* its next slice */
    unsigned count;      /* stacks made */
} stacks = {.lock = LOCK_INIT(STACK), .next = RT_STACKS_PER_SLAB};

bool stack_alloc(uintptr_t *lo, uintptr_t *hi)
{
    lock(&stacks.lock);
    if (stacks.next == RT_STACKS_PER_SLAB) {
        char *slab = os_map((size_t)RT_STACKS_PER_SLAB * RT_STACK_BYTES);
        if (!slab) {
            unlock(&stacks.lock);
            return false;
        }
        stacks.slab = slab;
        stacks.next = 0;
    }
    char *slice = stacks.slab + (size_t)stacks.next++ * RT_STACK_BYTES;
    unsigned colour = stacks.count++ % COLOURS;
    unlock(&stacks.lock);
    if (os_guard(slice, RT_STACK_GUARD_BYTES) < 0)
        return false;
    *lo = (uintptr_t)slice + RT_STACK_GUARD_BYTES;
    *hi = (uintptr_t)slice + RT_STACK_BYTES - colour * RT_CACHE_LINE;
    return true;
}

bool stack_alloc_sized(size_t bytes, uintptr_t *lo, uintptr_t *hi)
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
    return true;
}

void stack_free_sized(uintptr_t lo, uintptr_t hi)
{
    os_unmap((void *)(lo - RT_STACK_GUARD_BYTES), hi - lo + RT_STACK_GUARD_BYTES);
}
