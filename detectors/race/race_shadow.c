/* Shadow memory: slices and forgetting. See race_shadow.h. */
#define _GNU_SOURCE
#include "race_shadow.h"

#include <errno.h>
#include <sched.h>
#include <sys/mman.h>

#include "race_alloc.h"
#include "race_die.h"

_Atomic(uintptr_t) shadow_slices[SLICES];
uintptr_t shadow_nobody;
enum { CHUNK_BITS = 20, CHUNK_DENSE = 1 << (CHUNK_BITS - BIAS_BITS - 2), CHUNK_FILLED = 1 << 15 };
static _Atomic(uint16_t) *touched;   /* by addr >> CHUNK_BITS: how many regions were accessed, and whether shadow_fill was there */

/* The first hook of all gets here, on the only thread there is. */
void shadow_start(void)
{
    if (shadow_nobody)
        return;
    void *nobody = mmap(NULL, SHADOW_SECOND, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (nobody == MAP_FAILED)
        race_die("the race detector needs 2 TiB of address space, and more for what it notes (is there a limit, ulimit -v?)");
    madvise(nobody, SHADOW_SECOND, MADV_DONTDUMP);   /* a core file would hold terabytes of nothing */
    shadow_nobody = (uintptr_t)nobody;
    for (uintptr_t i = 0; i < SLICES; i++)
        atomic_store_explicit(&shadow_slices[i], shadow_nobody - (i << SLICE_BITS << SHADOW_SHIFT), memory_order_relaxed);
    size_t chunks = (1ul << (47 - CHUNK_BITS)) * sizeof *touched;
    touched = race_map(chunks);
    madvise((void *)(uintptr_t)touched, chunks, MADV_DONTDUMP);
    bias_start();
}

enum { HUGE = 2 << 20, WORDS_OF_REGION = 1 << (BIAS_BITS + SHADOW_SHIFT) };   /* in bytes */

uintptr_t shadow_slice_new(uintptr_t addr)
{
    if (addr >> 47)
        return 0;
    size_t bytes = 2 * SHADOW_SECOND + HUGE;
    char *mapped = race_map(bytes);
    madvise(mapped, bytes, MADV_DONTDUMP);
    uintptr_t words = ((uintptr_t)mapped + HUGE - 1) & ~(uintptr_t)(HUGE - 1);
    uintptr_t first = (addr & ~((1ul << SLICE_BITS) - 1)) << SHADOW_SHIFT, slice = words - first, unused = shadow_nobody - first;
    if (atomic_compare_exchange_strong_explicit(&shadow_slices[addr >> SLICE_BITS], &unused, slice, memory_order_relaxed, memory_order_relaxed))
        return slice;
    munmap(mapped, bytes);
    return unused;
}

/* One huge page in the place of small ones (Linux 6.1; others refuse, and all is as it was). */
static race_noinline void chunk_is_dense(uintptr_t addr)
{
    enum { COLLAPSE = 25 };
    int saved = errno;
    madvise(shadow_of(addr & ~((1ul << CHUNK_BITS) - 1)), HUGE, COLLAPSE);
    errno = saved;
}

void shadow_mark_slow(uintptr_t addr, uint32_t mark)
{
    atomic_fetch_or_explicit(&bias_of[addr >> BIAS_BITS], mark, memory_order_relaxed);
}

/* Who owns a region may write to its words (race_access_miss): so they are there first. */
bool shadow_settle(uintptr_t addr)
{
    bool first = false, mine = shadow_of(addr) && bias_settle(addr, &first);
    if (first)
        race_memory_count(WORDS_OF_REGION);
    if (first && (atomic_fetch_add_explicit(&touched[addr >> CHUNK_BITS], 1, memory_order_relaxed) & ~CHUNK_FILLED) == CHUNK_DENSE)
        chunk_is_dense(addr);
    return mine;
}

/* The region's owner may have stored another epoch meanwhile, and with it taken the lock off. Then others may have locked the word. */
void shadow_lock_back(struct shadow *s, uint64_t e)
{
    uint64_t locked = shadow_lock();
    atomic_compare_exchange_strong_explicit(&s->epoch, &locked, e, memory_order_release, memory_order_relaxed);
}

uint64_t shadow_hold(struct shadow *s, uintptr_t addr, bias_word *region)
{
    for (unsigned spins = 0;; spins++) {
        *region = atomic_load_explicit(&bias_of[addr >> BIAS_BITS], memory_order_acquire);
        if ((*region & BIAS_OWNER) != BIAS_SHARED) {
            if (!shadow_settle(addr) || !bias_enter(bias_me, addr, region))
                continue;
            uint64_t e = atomic_load_explicit(&s->epoch, memory_order_relaxed);
            if (!(e & EPOCH_LOCK))
                return e;
            bias_leave(bias_me);
        }
        uint64_t e;
        if (shadow_try_lock(s, addr, *region, &e))
            return e;
        if (spins < 200)
            __builtin_ia32_pause();
        else
            sched_yield();
    }
}

void shadow_drop_second(struct shadow *s)
{
    struct shadow *second = shadow_second(s);
    struct shadow_list *l = shadow_list_of(atomic_load_explicit(&second->epoch, memory_order_relaxed));
    atomic_store_explicit(&second->epoch, 0, memory_order_relaxed);
    if (l)
        list_free(l);
}

/* Somebody may still use memory that begins a new life, against all rules. Where there is a list to be freed the word is held; elsewhere what he
 * enters now may stay: one entry too many or too few of an access that has no place here. So it need not be the caller's region. */
static race_noinline void drop_more(struct shadow *s, uintptr_t addr)
{
    bias_word region;
    struct shadow *second = shadow_second(s);
    if (!shadow_list_of(atomic_load_explicit(&second->epoch, memory_order_relaxed))) {
        atomic_store_explicit(&second->epoch, 0, memory_order_relaxed);
        return;
    }
    uint64_t e = shadow_hold(s, addr, &region);
    shadow_drop_second(s);
    shadow_set(s, e, atomic_load_explicit(&s->node, memory_order_relaxed) & SHADOW_NODE, 0);
    bias_leave(bias_me);
}

static inline void word_begins(struct shadow *s, uintptr_t addr, uint64_t epoch, uint32_t node, uint32_t pc)
{
    if (race_unlikely(atomic_load_explicit(&s->node, memory_order_relaxed) & SHADOW_MORE))
        drop_more(s, addr);
    shadow_set(s, epoch, node, pc);
}

/* What has no mark is empty. A mark goes before its words are cleared, so an access that comes in meanwhile, against all rules, leaves one. */
static void clear_region(uintptr_t addr, uintptr_t end)
{
    enum { KIB = 1 << MARK_BITS };
    _Atomic(bias_word) *region = &bias_of[addr >> BIAS_BITS];
    for (uintptr_t next; addr < end; addr = next) {
        uint32_t mark = 1u << (BIAS_MARKS_SHIFT + (addr >> MARK_BITS & 3));
        next = (addr | (KIB - 1)) + 1;
        if (!(atomic_load_explicit(region, memory_order_relaxed) & mark))
            continue;
        if (addr % KIB == 0 && next <= end)
            atomic_fetch_and_explicit(region, ~(bias_word)mark, memory_order_relaxed);
        struct shadow *s = shadow_of(addr);
        for (uintptr_t stop = next < end ? next : end; addr < stop; s++, addr += 8)
            word_begins(s, addr, 0, 0, 0);
    }
}

static inline uintptr_t chunk_end(uintptr_t addr)
{
    return (addr | ((1ul << CHUNK_BITS) - 1)) + 1;
}

void shadow_clear(uintptr_t addr, size_t n)
{
    static const uintptr_t REGION_REST = (1ul << BIAS_BITS) - 1;
    static const bias_word marks = (bias_word)BIAS_MARKS << BIAS_MARKS_SHIFT;
    uintptr_t end = (addr + n + 7) & ~7ul;
    addr &= ~7ul;
    if (race_unlikely(end >> 47 || !bias_of))
        return;
    for (uintptr_t next; addr < end; addr = next) {
        next = chunk_end(addr) < end ? chunk_end(addr) : end & ~REGION_REST;
        if (!(addr & REGION_REST) && next > addr && atomic_load_explicit(&touched[addr >> CHUNK_BITS], memory_order_relaxed) == 0)
            continue;   /* terabytes, perhaps, that are only reserved; a stack that no access was recorded on. (In a region that has other memory, too, somebody
                           may be just about to set it.) */
        next = (addr | ((1ul << BIAS_BITS) - 1)) + 1;
        if (atomic_load_explicit(&bias_of[addr >> BIAS_BITS], memory_order_relaxed) & marks)
            clear_region(addr, next < end ? next : end);
    }
}

/* Not counted as settled: that comes with the first access. */
void shadow_fill(uintptr_t addr, size_t n, uint64_t epoch, uint32_t node, uint32_t pc)
{
    uintptr_t end = (addr + n + 7) & ~7ul;
    addr &= ~7ul;
    for (uintptr_t next; addr < end; addr = next) {
        next = (addr | ((1ul << BIAS_BITS) - 1)) + 1;
        next = next < end ? next : end;
        struct shadow *s = shadow_of(addr);
        if (race_unlikely(!s))
            return;
        shadow_mark_all(addr, next);
        if (race_unlikely(!(atomic_load_explicit(&touched[addr >> CHUNK_BITS], memory_order_relaxed) & CHUNK_FILLED)))
            atomic_fetch_or_explicit(&touched[addr >> CHUNK_BITS], CHUNK_FILLED, memory_order_relaxed);
        for (uintptr_t a = addr; a < next; a += 8, s++)
            word_begins(s, a, epoch, node, pc);
    }
}

/* Whoever has locked a word waits for nothing but memory and its list's parts, whose lockers wait for nothing else, so he may be waited for; but he may have
 * been taken off the processor. */
static uint64_t epoch_of(struct shadow *s)
{
    uint64_t e;
    for (unsigned spins = 0; (e = atomic_load_explicit(&s->epoch, memory_order_relaxed)) & EPOCH_LOCK; spins++) {
        if (spins < 200)
            __builtin_ia32_pause();
        else
            sched_yield();
    }
    return e;
}

/* Without the word's lock: an entry that is just being replaced may be read half old, half new; the caller wants only its epoch. */
bool shadow_last_write(uintptr_t addr, struct race_side *out)
{
    uintptr_t slice = shadow_slice(addr);
    if (addr >> 47 || !shadow_is_used(slice, addr))
        return false;
    struct shadow *s = shadow_in(slice, addr);
    bool more = atomic_load_explicit(&s->node, memory_order_relaxed) & SHADOW_MORE;
    for (int i = 0; i < 1 + more; i++, s = shadow_second(s)) {
        uint64_t e = i == 0 ? epoch_of(s) : atomic_load_explicit(&s->epoch, memory_order_relaxed);
        if (shadow_list_of(e))
            break;
        if ((e & EPOCH_WRITE) && !(e & EPOCH_ATOMIC)) {
            *out = (struct race_side){e, atomic_load_explicit(&s->node, memory_order_relaxed) & SHADOW_NODE,
                                      atomic_load_explicit(&s->pc, memory_order_relaxed)};
            return true;
        }
    }
    return false;
}
