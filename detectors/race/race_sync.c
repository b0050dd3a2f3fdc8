/* Synchronization by address: a hash table of race_sync, a lock for each bucket. See race_sync.h.
 *
 * The neighbours of an address lie in neighbouring buckets, and each page has a count, so that forgetting a freed block looks only where there is
 * something. Ownership apart from the clock is what makes an uncontended mutex cheap: a release stores a reference and an epoch, and an
 * acquire by the last releaser has nothing to learn. */
#include "race_sync.h"

#include <sched.h>

#include "race_alloc.h"

enum { BUCKETS = 1 << 16, PAGES = 1 << 16 };

static struct {
    atomic_flag lock;
    struct race_sync *first;
} buckets[BUCKETS];
static atomic_uint pages[PAGES];   /* how many race_sync in the page (pages that hash alike are counted together) */

static uint32_t page_of(uintptr_t addr)
{
    return (uint32_t)(((addr >> 12) * 0x9e3779b97f4a7c15u) >> 48);
}

static uint32_t bucket_of(uintptr_t addr)
{
    return (page_of(addr) + (uint32_t)(addr >> 3)) % BUCKETS;
}

struct race_sync *race_sync_lock(uintptr_t addr, bool make)
{
    uint32_t b = bucket_of(addr);
    for (unsigned spins = 0; atomic_flag_test_and_set_explicit(&buckets[b].lock, memory_order_acquire); spins++)
        if (spins > 100)
            sched_yield();
    struct race_sync *s = buckets[b].first;
    while (s && s->addr != addr)
        s = s->next;
    if (!s && make) {
        s = race_alloc(sizeof *s);
        s->addr = addr;
        s->next = buckets[b].first;
        buckets[b].first = s;
        atomic_fetch_add_explicit(&pages[page_of(addr)], 1, memory_order_relaxed);
    }
    return s;
}

void race_sync_unlock(uintptr_t addr)
{
    atomic_flag_clear_explicit(&buckets[bucket_of(addr)].lock, memory_order_release);
}

void race_sync_acquire(struct race_g *g, struct race_sync *s)
{
    if (s->value == 0 || (s->slot == g->slot && clock_same(&s->clock, &g->known)))
        return;
    clock_join(&g->known, &s->clock);
    if (s->slot != g->slot)
        clock_raise(&g->known, s->slot, s->value);
}

void race_sync_release(struct race_g *g, struct race_sync *s)
{
    clock_copy(&s->clock, &g->known);
    s->slot = g->slot;
    s->value = g->clock;
}

void race_sync_release_merge(struct race_g *g, struct race_sync *s)
{
    if (s->value && s->slot != g->slot)
        clock_raise(&s->clock, s->slot, s->value);
    clock_join(&s->clock, &g->known);
    s->slot = g->slot;
    s->value = g->clock;
}

void race_sync_join_into(const struct race_sync *s, struct clock *c)
{
    if (s->value) {
        clock_join(c, &s->clock);
        clock_raise(c, s->slot, s->value);
    }
}

void race_sync_set(struct race_sync *s, const struct clock *c, bool merge)
{
    if (merge) {
        if (s->value)
            clock_raise(&s->clock, s->slot, s->value);
        clock_join(&s->clock, c);
    } else {
        clock_copy(&s->clock, c);
    }
    s->slot = 0;    /* slot 0 is nobody's: everything is in the clock */
    s->value = 1;
}

void race_acquire(struct race_g *g, const void *addr)
{
    if (g == NULL || g == &race_ignored)
        return;
    struct race_sync *s = race_sync_lock((uintptr_t)addr, false);
    if (s)
        race_sync_acquire(g, s);
    race_sync_unlock((uintptr_t)addr);
}

void race_release(struct race_g *g, const void *addr)
{
    if (g == NULL || g == &race_ignored)
        return;
    struct race_sync *s = race_sync_lock((uintptr_t)addr, true);
    race_sync_release(g, s);
    race_sync_unlock((uintptr_t)addr);
    race_g_tick(g);
}

void race_release_merge(struct race_g *g, const void *addr)
{
    if (g == NULL || g == &race_ignored)
        return;
    struct race_sync *s = race_sync_lock((uintptr_t)addr, true);
    race_sync_release_merge(g, s);
    race_sync_unlock((uintptr_t)addr);
    race_g_tick(g);
}

void race_sync_forget(uintptr_t addr, size_t n)
{
    uintptr_t end = addr + n;
    addr &= ~7ul;
    while (addr < end) {
        uintptr_t page_end = (addr | 4095) + 1, stop = end < page_end ? end : page_end;
        if (atomic_load_explicit(&pages[page_of(addr)], memory_order_relaxed) == 0) {
            addr = stop;
            continue;
        }
        for (; addr < stop; addr += 8) {
            uint32_t b = bucket_of(addr);
            if (__atomic_load_n(&buckets[b].first, __ATOMIC_RELAXED) == NULL)
                continue;
            while (atomic_flag_test_and_set_explicit(&buckets[b].lock, memory_order_acquire))
                sched_yield();
            for (struct race_sync **p = &buckets[b].first; *p;) {
                struct race_sync *s = *p;
                if ((s->addr & ~7ul) != addr) {
                    p = &s->next;
                    continue;
                }
                *p = s->next;
                atomic_fetch_sub_explicit(&pages[page_of(addr)], 1, memory_order_relaxed);
                clock_clear(&s->clock);
                race_free(s, sizeof *s);
            }
            atomic_flag_clear_explicit(&buckets[b].lock, memory_order_release);
        }
    }
}
