/* Shadow memory: regions and forgetting. See race_shadow.h. */
#define _GNU_SOURCE
#include "race_shadow.h"

#include <sys/mman.h>

#include "race_alloc.h"

_Atomic(struct shadow *) shadow_regions[REGIONS];

struct shadow *shadow_region_new(uintptr_t addr)
{
    _Atomic(struct shadow *) *place = &shadow_regions[addr >> REGION_BITS];
    size_t bytes = (1ul << REGION_BITS) / 8 * sizeof(struct shadow);
    struct shadow *r = race_map(bytes), *none = NULL;
    if (atomic_compare_exchange_strong_explicit(place, &none, r, memory_order_acq_rel, memory_order_acquire))
        return r;
    munmap(r, bytes);
    return none;
}

static void clear_word(struct shadow *s)
{
    if (s->entry[1].pc == SHADOW_LIST && s->entry[1].node == 0) {
        struct shadow_list *l = (struct shadow_list *)(uintptr_t)atomic_load_explicit(&s->entry[1].epoch, memory_order_relaxed);
        race_free(l, sizeof *l + l->cap * sizeof l->side[0]);
    }
    s->entry[1].pc = s->entry[1].node = 0;
    atomic_store_explicit(&s->entry[1].epoch, 0, memory_order_relaxed);
    s->entry[0].pc = s->entry[0].node = 0;
    atomic_store_explicit(&s->entry[0].epoch, 0, memory_order_release);
}

/* Which pages of the shadow were ever touched the kernel knows; the others are zero and stay so. */
void shadow_clear(uintptr_t addr, size_t n)
{
    enum { PAGE = 4096, BATCH = 256, PER_PAGE = PAGE / sizeof(struct shadow) };
    uintptr_t end = (addr + n + 7) & ~7ul;
    addr &= ~7ul;
    while (addr < end) {
        uintptr_t region_end = ((addr >> REGION_BITS) + 1) << REGION_BITS;
        uintptr_t stop = end < region_end ? end : region_end;
        struct shadow *r = addr >> 47 ? NULL : atomic_load_explicit(&shadow_regions[addr >> REGION_BITS], memory_order_acquire);
        if (!r) {
            addr = stop;
            continue;
        }
        struct shadow *from = shadow_of(addr), *to = from + (stop - addr) / 8;
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

/* Without the word's lock: an entry that is just being replaced may be read half old, half new; the caller wants only its epoch. */
bool shadow_last_write(uintptr_t addr, struct race_side *out)
{
    struct shadow *r = addr >> 47 ? NULL : atomic_load_explicit(&shadow_regions[addr >> REGION_BITS], memory_order_acquire);
    if (!r)
        return false;
    struct shadow *s = shadow_of(addr);
    for (int i = 0; i < 2; i++) {
        uint64_t e = atomic_load_explicit(&s->entry[i].epoch, memory_order_relaxed) & ~(uint64_t)EPOCH_LOCK;
        if (i == 1 && s->entry[1].pc == SHADOW_LIST && s->entry[1].node == 0)
            break;
        if ((e & EPOCH_WRITE) && !(e & EPOCH_ATOMIC)) {
            *out = (struct race_side){e, s->entry[i].node, s->entry[i].pc};
            return true;
        }
    }
    return false;
}
