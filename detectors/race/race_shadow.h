/* Shadow memory: for each 8 bytes of the program's memory a word of 32 bytes with the accesses that a later one might race with.
 *
 * An entry is an epoch with a mask of the bytes it touched (race.h), the number of its call stack and its program counter. Two entries lie in the
 * word; more go to a side list of any length: readers that don't know of each other, or accesses of different bytes. So nothing
 * is ever dropped but what is subsumed: entry E is dropped when the new access A happens after E, covers E's bytes, and conflicts
 * with all that E conflicts with (A writes or E reads; A is not atomic or E is). Then whoever races with E races with A: X not after E can't be after A.
 *
 * Locking: bit 0 of the first entry's epoch is a lock on the whole word. The fast path compares whole epochs without it: a match says that the
 * same goroutine made the same access in the same epoch, and then nothing can have changed that would matter.
 *
 * The map from address to word has two levels: a table of regions of 1 GiB, each with 4 GiB of address space for its words,
 * committed as touched. */
#ifndef RACE_SHADOW_H
#define RACE_SHADOW_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "race.h"

struct shadow_entry {
    _Atomic(uint64_t) epoch;   /* 0: none */
    uint32_t node, pc;
};

struct shadow_list {
    uint32_t n, cap;
    struct race_side side[];
};

/* 32 bytes: the second entry's room doubles as a pointer: pc == SHADOW_LIST and node == 0 say that epoch is a list instead. */
struct shadow {
    struct shadow_entry entry[2];
};
#define SHADOW_LIST 0xffffffffu

enum { REGION_BITS = 30, REGIONS = 1 << (47 - REGION_BITS) };
extern _Atomic(struct shadow *) shadow_regions[REGIONS];
struct shadow *shadow_region_new(uintptr_t addr);

/* The word of addr; NULL: no program's address. */
static inline struct shadow *shadow_of(uintptr_t addr)
{
    if (race_unlikely(addr >> 47))
        return NULL;
    struct shadow *r = atomic_load_explicit(&shadow_regions[addr >> REGION_BITS], memory_order_acquire);
    if (race_unlikely(r == NULL))
        r = shadow_region_new(addr);
    return r + ((addr & ((1ul << REGION_BITS) - 1)) >> 3);
}

/* Forgets all accesses of [addr, addr + n): the memory begins a new life. */
void shadow_clear(uintptr_t addr, size_t n);
/* The latest plain write that the word of addr remembers; false: none. */
bool shadow_last_write(uintptr_t addr, struct race_side *out);

#endif
