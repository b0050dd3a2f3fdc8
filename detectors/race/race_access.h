/* The first look of a check, in the hooks themselves: most accesses have been made before, by the same goroutine in the same epoch. Whatever is
 * not as usual goes to race_access_miss. */
#ifndef RACE_ACCESS_H
#define RACE_ACCESS_H

#include "race_shadow.h"

/* now: the access; slice: of addr. */
void race_access_miss(uintptr_t addr, uintptr_t pc, uint64_t now, uintptr_t slice);
/* The same, but no signal handler is called here: whoever is not a hook that has nothing else to do may hold a lock. */
void race_access_miss_within(uintptr_t addr, uintptr_t pc, uint64_t now, uintptr_t slice);
/* how: size << 8 | kind. A thread not seen before, or an address that is not aligned. */
void race_access_odd(uintptr_t addr, uintptr_t pc, unsigned how);

/* Where the hook returns to. gcc loads it at the hook's start, and so for each access that needs it not, unless it is volatile. */
#if defined __GNUC__ && !defined __clang__ && defined __x86_64__
#define RACE_HOOK_PC() (((volatile uintptr_t *)__builtin_dwarf_cfa())[-1])
#else
#define RACE_HOOK_PC() ((uintptr_t)__builtin_return_address(0))
#endif

/* An access of size 1, 2, 4 or 8. The lock is never part of what is compared: a word that somebody changes does not match, and is looked at
 * again with more care. */
static inline __attribute__((always_inline)) void race_access_sized(uintptr_t addr, unsigned size, unsigned kind)
{
    const struct race_g *g = race_cur_tls;   /* NULL: the thread is new, and perhaps nothing is set up yet */
    if (race_unlikely(!g || (addr & (size - 1)))) {
        race_access_odd(addr, RACE_HOOK_PC(), size << 8 | kind);
        return;
    }
    /* The epoch comes first in the word. */
    uintptr_t in_slice = size < 8 ? addr & ~7ul : addr;
    uintptr_t slice = shadow_slice(addr);
    uint64_t e = atomic_load_explicit((_Atomic(uint64_t) *)(slice + (in_slice << SHADOW_SHIFT)), memory_order_relaxed);
    if (size == 8) {
        if (race_unlikely(kind & EPOCH_WRITE ? e != g->epoch_of_write : ((e ^ g->epoch_of_read) & ~(uint64_t)EPOCH_WRITE) != 0))
            race_access_miss(addr, RACE_HOOK_PC(), g->epoch_of_read | kind, slice);
        return;
    }
    uint64_t bytes = ((uint64_t)1 << size) - 1, now = g->epoch | bytes << ((addr & 7) + MASK_SHIFT);
    if (race_unlikely(kind & EPOCH_WRITE ? e != (now | EPOCH_WRITE) : ((e ^ now) & ~(uint64_t)EPOCH_WRITE) != 0) &&
        race_unlikely(!shadow_stands_for(e, now | kind)))   /* a part of what was accessed as a whole */
        race_access_miss(addr, RACE_HOOK_PC(), now | kind, slice);
}

/* Whether the goroutine has accessed [addr, addr + size), up to 8 bytes, in this epoch before in a way that stands for this access, as the first words
 * there say: two, perhaps. */
static inline __attribute__((always_inline)) bool race_access_stands(const struct race_g *g, uintptr_t addr, unsigned size, unsigned kind)
{
    uintptr_t slice = shadow_slice(addr);
    const struct shadow *s = shadow_in(slice, addr);
    uint64_t bytes = (((uint64_t)1 << size) - 1) << (addr & 7), none = g->epoch | kind;
    if (race_unlikely(!shadow_stands_for(atomic_load_explicit(&s->epoch, memory_order_relaxed), none | (bytes & 0xff) << MASK_SHIFT)))
        return false;
    bytes >>= 8;
    return bytes == 0 || (race_likely((addr ^ (addr + 8)) >> SLICE_BITS == 0) &&
                          shadow_stands_for(atomic_load_explicit(&s[1].epoch, memory_order_relaxed), none | bytes << MASK_SHIFT));
}

/* An access of size 2, 4 or 8 at any address. */
static inline __attribute__((always_inline)) void race_access_unaligned(uintptr_t addr, unsigned size, unsigned kind)
{
    const struct race_g *g = race_cur_tls;
    if (race_unlikely(!g || !race_access_stands(g, addr, size, kind)))
        race_access_odd(addr, RACE_HOOK_PC(), size << 8 | kind);
}

#endif
