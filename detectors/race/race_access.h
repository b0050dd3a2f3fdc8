/* The first look of a check, in the hooks themselves: most accesses have been made before, by the same goroutine in the same epoch. Whatever is
 * not as usual goes to race_access_more. */
#ifndef RACE_ACCESS_H
#define RACE_ACCESS_H

#include "race_shadow.h"

/* how: size << 8 | kind */
void race_access_more(uintptr_t addr, uintptr_t pc, unsigned how);

/* An access of size 1, 2, 4 or 8. The lock is never part of what is compared: a word that somebody changes does not match, and is looked at
 * again with more care. */
static inline __attribute__((always_inline)) void race_access_sized(uintptr_t addr, unsigned size, unsigned kind, uintptr_t pc)
{
    const struct race_g *g = race_cur_tls;
    uintptr_t slice = shadow_slice(addr);
    if (race_likely(slice && g && !(addr & (size - 1)))) {
        uint64_t e = atomic_load_explicit(&((struct shadow *)(slice + ((size < 8 ? addr & ~7ul : addr) << SHADOW_SHIFT)))->epoch, memory_order_relaxed);
        uint64_t bytes = (1u << size) - 1;
        uint64_t now = g->epoch | (size < 8 ? bytes << ((addr & 7) + MASK_SHIFT) : bytes << MASK_SHIFT) | EPOCH_WRITE;
        if (race_likely((kind & EPOCH_WRITE ? e : e | EPOCH_WRITE) == now))
            return;
    }
    race_access_more(addr, pc, size << 8 | kind);
}

#endif
