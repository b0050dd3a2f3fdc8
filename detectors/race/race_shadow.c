/* Shadow memory: slices and forgetting. See race_shadow.h. */
#define _GNU_SOURCE
#include "race_shadow.h"

#include <sys/mman.h>

#include "race_alloc.h"

_Atomic(uintptr_t) shadow_slices[SLICES];

uintptr_t shadow_slice_new(uintptr_t addr)
{
    if (addr >> 47)
        return 0;
    size_t bytes = 2 * SHADOW_SECOND;
    char *words = race_map(bytes);
    uintptr_t first = addr & ~((1ul << SLICE_BITS) - 1), slice = (uintptr_t)words - (first << SHADOW_SHIFT), none = 0;
    if (atomic_compare_exchange_strong_explicit(&shadow_slices[addr >> SLICE_BITS], &none, slice, memory_order_relaxed, memory_order_relaxed))
        return slice;
    munmap(words, bytes);
    return none;
}

static void clear_word(struct shadow *s)
{
    uint32_t node = atomic_load_explicit(&s->node, memory_order_relaxed);
    if (node & SHADOW_MORE) {
        struct shadow *second = shadow_second(s);
        uint64_t e = atomic_load_explicit(&second->epoch, memory_order_relaxed);
        atomic_store_explicit(&second->epoch, 0, memory_order_relaxed);
        struct shadow_list *l = shadow_list_of(e);
        if (l)
            list_free(l);
    }
    atomic_store_explicit(&s->node, 0, memory_order_relaxed);
    atomic_store_explicit(&s->epoch, 0, memory_order_release);
}

/* Which pages of the shadow were ever touched the kernel knows; the others are zero and stay so. */
void shadow_clear(uintptr_t addr, size_t n)
{
    enum { PAGE = 4096, BATCH = 256, PER_PAGE = PAGE / sizeof(struct shadow) };
    uintptr_t end = (addr + n + 7) & ~7ul;
    addr &= ~7ul;
    while (addr < end) {
        uintptr_t slice_end = ((addr >> SLICE_BITS) + 1) << SLICE_BITS;
        uintptr_t stop = end < slice_end ? end : slice_end;
        uintptr_t slice = addr >> 47 ? 0 : shadow_slice(addr);
        if (!slice) {
            addr = stop;
            continue;
        }
        struct shadow *from = shadow_in(slice, addr), *to = from + (stop - addr) / 8;
        if (to - from <= PER_PAGE) {
            for (; from < to; from++)
                clear_word(from);
            addr = stop;
            continue;
        }
        unsigned char resident[BATCH];
        char *page = (char *)((uintptr_t)from & ~(uintptr_t)(PAGE - 1));
        while ((struct shadow *)page < to) {
            size_t pages = ((size_t)((char *)to - page) + PAGE - 1) / PAGE;
            pages = pages < BATCH ? pages : BATCH;
            if (mincore(page, pages * PAGE, resident) != 0)
                for (size_t i = 0; i < pages; i++)
                    resident[i] = 1;
            for (size_t i = 0; i < pages; i++) {
                if (!(resident[i] & 1))
                    continue;
                struct shadow *s = (struct shadow *)(page + i * PAGE);
                for (int k = 0; k < PER_PAGE; k++)
                    if (s + k >= from && s + k < to)
                        clear_word(s + k);
            }
            page += pages * PAGE;
        }
        addr = stop;
    }
}
