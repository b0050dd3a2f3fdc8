/* Heap blocks by address. See race_heap.h.
 *
 * A record that a later, larger block has grown over is stale: a search takes the living block that reaches to the address; a freed one only if
 * there is none, the nearest. Blocks of 1 MiB and more are kept in a list too, so that the search need not go far back. */
#include "race_heap.h"

#include <sys/mman.h>

#include "race_alloc.h"
#include "race_spin.h"

enum { REGION_BITS = 32, REGIONS = 1 << (47 - REGION_BITS), GRAIN_BITS = 5, LARGE = 1 << 20, FAR_BACK = LARGE >> GRAIN_BITS };
enum { HALF = 1, ALIVE = 2, BIT_COUNT = 2 };   /* in the low bits of size: begins in the grain's second half; not freed */

struct record {
    _Atomic(uint64_t) size;         /* n << BIT_COUNT | bits; 0: no block begins here */
    uint64_t born, died;            /* epochs */
    uint32_t node, pc, free_node, free_pc;
};

static _Atomic(struct record *) regions[REGIONS];

static struct {
    uintptr_t *at;
    uint32_t n, cap;
} large;
static atomic_flag large_lock;

static void lock_large(void)
{
    race_spin_lock(&large_lock);
}

static void unlock_large(void)
{
    race_spin_unlock(&large_lock);
}

static struct record *record_of(uintptr_t addr, bool make)
{
    if (race_unlikely(addr >> 47))
        return NULL;
    _Atomic(struct record *) *place = &regions[addr >> REGION_BITS];
    struct record *r = atomic_load_explicit(place, memory_order_acquire);
    if (race_unlikely(!r)) {
        if (!make)
            return NULL;
        size_t bytes = sizeof *r << (REGION_BITS - GRAIN_BITS);
        struct record *fresh = race_map(bytes);
        if (atomic_compare_exchange_strong_explicit(place, &r, fresh, memory_order_acq_rel, memory_order_acquire))
            r = fresh;
        else
            munmap(fresh, bytes);
    }
    return r + ((addr & ((1ul << REGION_BITS) - 1)) >> GRAIN_BITS);
}

static void large_add(uintptr_t addr)
{
    lock_large();
    if (large.n == large.cap) {
        uint32_t cap = large.cap ? large.cap * 2 : 64;
        uintptr_t *at = race_alloc(cap * sizeof *at);
        for (uint32_t i = 0; i < large.n; i++)
            at[i] = large.at[i];
        race_free(large.at, large.cap * sizeof *at);
        large.at = at;
        large.cap = cap;
    }
    large.at[large.n++] = addr;
    unlock_large();
}

static void large_remove(uintptr_t addr)
{
    lock_large();
    for (uint32_t i = 0; i < large.n; i++)
        if (large.at[i] == addr)
            large.at[i] = large.at[--large.n];
    unlock_large();
}

void race_heap_born(struct race_g *g, const void *p, size_t n, uintptr_t pc)
{
    uintptr_t addr = (uintptr_t)p;
    struct record *r = p ? record_of(addr, g != &race_ignored) : NULL;
    if (!r)
        return;
    if (race_unlikely(g == &race_ignored)) {   /* the runtime's own: whose it was before is past */
        atomic_store_explicit(&r->size, 0, memory_order_relaxed);
        return;
    }
    r->born = g->epoch;
    r->node = g->node->id;
    r->pc = race_pc_pack(pc);
    atomic_store_explicit(&r->size, (uint64_t)n << BIT_COUNT | ALIVE | (addr >> 4 & HALF), memory_order_release);
    if (race_unlikely(n >= LARGE))
        large_add(addr);
}

void race_heap_dies(struct race_g *g, const void *p, uintptr_t pc)
{
    struct record *r = p ? record_of((uintptr_t)p, false) : NULL;
    uint64_t size = r ? atomic_load_explicit(&r->size, memory_order_relaxed) : 0;
    if (!(size & ALIVE))
        return;
    if (race_likely(g != &race_ignored)) {
        r->died = g->epoch;
        r->free_node = g->node->id;
        r->free_pc = race_pc_pack(pc);
    }
    atomic_store_explicit(&r->size, g != &race_ignored ? size - ALIVE : 0, memory_order_release);
    if (race_unlikely(size >> BIT_COUNT >= LARGE))
        large_remove((uintptr_t)p);
}

void race_heap_revived(struct race_g *g, const void *p)
{
    struct record *r = record_of((uintptr_t)p, false);
    uint64_t size = r ? atomic_load_explicit(&r->size, memory_order_relaxed) : 0;
    if (size == 0 || g == &race_ignored)
        return;
    atomic_store_explicit(&r->size, size | ALIVE, memory_order_release);
    if (size >> BIT_COUNT >= LARGE)
        large_add((uintptr_t)p);
}

/* Whether the record of the grain at `grain` is of a block that holds addr; fills out. */
static bool holds(uintptr_t grain, uintptr_t addr, struct heap_block *out)
{
    struct record *r = record_of(grain, false);
    uint64_t size = r ? atomic_load_explicit(&r->size, memory_order_acquire) : 0;
    uintptr_t start = (grain & ~(uintptr_t)31) + (size & HALF) * 16;
    if (size == 0 || addr < start || addr >= start + (size >> BIT_COUNT))
        return false;
    *out = (struct heap_block){
        .addr = start, .size = size >> BIT_COUNT, .freed = !(size & ALIVE),
        .allocated = {r->born, r->node, r->pc}, .released = {r->died, r->free_node, r->free_pc},
    };
    return true;
}

bool race_heap_find(uintptr_t addr, struct heap_block *out)
{
    struct heap_block b;
    bool found = false;
    for (uintptr_t i = 0; i <= FAR_BACK && addr >> GRAIN_BITS >= i; i++) {
        if (!holds(addr - (i << GRAIN_BITS), addr, &b))
            continue;
        if (!found || !b.freed)
            *out = b;
        found = true;
        if (!b.freed)
            return true;
    }
    lock_large();
    for (uint32_t i = 0; i < large.n; i++) {
        if (holds(large.at[i], addr, &b)) {
            *out = b;
            found = true;
        }
    }
    unlock_large();
    return found;
}
