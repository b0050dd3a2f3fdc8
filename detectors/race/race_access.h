/* The first look of a check, in the hooks themselves: most accesses have been made before, by the same goroutine in the same epoch. Whatever is
 * not as usual goes to race_access_more. */
#ifndef RACE_ACCESS_H
#define RACE_ACCESS_H

#include "race_shadow.h"

/* s: the word at addr, perhaps nobody's; now: the access. */
void race_access_miss(uintptr_t addr, uintptr_t pc, struct shadow *s, uint64_t now);
/* how: size << 8 | kind. A thread not seen before, or an address that is not aligned. */
void race_access_odd(uintptr_t addr, uintptr_t pc, unsigned how);

/* An access of size 1, 2, 4 or 8. The lock is never part of what is compared: a word that somebody changes does not match, and is looked at
 * again with more care. */
static inline __attribute__((always_inline)) void race_access_sized(uintptr_t addr, unsigned size, unsigned kind, uintptr_t pc)
{
    const struct race_g *g = race_cur_tls;   /* NULL: the thread is new, and perhaps nothing is set up yet */
    if (race_unlikely(!g || (addr & (size - 1)))) {
        race_access_odd(addr, pc, size << 8 | kind);
        return;
    }
    struct shadow *s = (struct shadow *)(shadow_slice(addr) + ((size < 8 ? addr & ~7ul : addr) << SHADOW_SHIFT));
    uint64_t e = atomic_load_explicit(&s->epoch, memory_order_relaxed), bytes = ((uint64_t)1 << size) - 1;
    uint64_t now = g->epoch | (size < 8 ? bytes << ((addr & 7) + MASK_SHIFT) : bytes << MASK_SHIFT);
    if (race_likely(kind & EPOCH_WRITE ? e == (now | EPOCH_WRITE) : ((e ^ now) & ~(uint64_t)EPOCH_WRITE) == 0))
        return;
    race_access_miss(addr, pc, s, now | kind);
}

#endif
