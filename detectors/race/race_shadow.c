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
_Atomic(uint32_t) *shadow_touched;
_Atomic(uint8_t) *shadow_marks;

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
    size_t chunks = (1ul << (47 - CHUNK_BITS)) * sizeof *shadow_touched;
    shadow_touched = race_map(chunks);
    madvise((void *)(uintptr_t)shadow_touched, chunks, MADV_DONTDUMP);
    shadow_marks = race_map(1ul << (47 - MARK_BITS));
    madvise((void *)(uintptr_t)shadow_marks, 1ul << (47 - MARK_BITS), MADV_DONTDUMP);
}

enum { HUGE = 2 << 20, PAGE = 4096 };

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

/* A page of words is that of two marks; whoever is first counts it (two at once may both think the other was: no matter). */
void shadow_mark(uintptr_t addr, unsigned bits)
{
    uintptr_t i = addr >> MARK_BITS;
    unsigned had = atomic_fetch_or_explicit(&shadow_marks[i], (uint8_t)bits, memory_order_relaxed);
    unsigned new = bits & ~(had | atomic_load_explicit(&shadow_marks[i ^ 1], memory_order_relaxed)) & (MARK_FIRST | MARK_SECOND);
    if (new)
        race_memory_count(PAGE);
}

/* Nearly all small pages are there: one huge page in their place (Linux 6.1; others refuse, and all is as it was). */
void shadow_look_at_chunk(uintptr_t addr)
{
    enum { COLLAPSE = 25, PAGES = HUGE / PAGE };
    unsigned char resident[PAGES];
    char *words = (char *)shadow_of(addr & ~((1ul << CHUNK_BITS) - 1));
    unsigned there = 0;
    if (mincore(words, HUGE, resident) != 0)
        return;
    for (unsigned i = 0; i < PAGES; i++)
        there += resident[i] & 1;
    if (there < PAGES / 8 * 7)
        return;
    int saved = errno;
    madvise(words, HUGE, COLLAPSE);
    errno = saved;
    atomic_store_explicit(&shadow_touched[addr >> CHUNK_BITS], CHUNK_DONE, memory_order_relaxed);
}

uint64_t shadow_lock(struct shadow *s)
{
    for (unsigned spins = 0;; spins++) {
        uint64_t e = atomic_load_explicit(&s->epoch, memory_order_relaxed);
        if (!(e & EPOCH_LOCK) &&
            atomic_compare_exchange_weak_explicit(&s->epoch, &e, e | EPOCH_LOCK, memory_order_acquire, memory_order_relaxed))
            return e;
        if (spins < 200)
            __builtin_ia32_pause();
        else
            sched_yield();
    }
}

/* Somebody may still use memory that begins a new life, against all rules. Where there is a list to be freed the lock keeps him out; elsewhere what he
 * enters now may stay: one entry too many or too few of an access that has no place here. */
static void clear_word(struct shadow *s)
{
    if (atomic_load_explicit(&s->node, memory_order_relaxed) & SHADOW_MORE) {
        shadow_lock(s);
        struct shadow *second = shadow_second(s);
        struct shadow_list *l = shadow_list_of(atomic_load_explicit(&second->epoch, memory_order_relaxed));
        atomic_store_explicit(&second->epoch, 0, memory_order_relaxed);
        if (l)
            list_free(l);
    }
    atomic_store_explicit(&s->node, 0, memory_order_relaxed);
    atomic_store_explicit(&s->epoch, 0, memory_order_release);
}

/* What has no mark is empty. A mark goes before its words are cleared, so an access that comes in meanwhile, against all rules, leaves one. */
void shadow_clear(uintptr_t addr, size_t n)
{
    enum { KIB = 1 << MARK_BITS, MARKS = 8 };
    const uint64_t all_hold = MARK_HOLDS * 0x0101010101010101u;
    uintptr_t end = (addr + n + 7) & ~7ul;
    addr &= ~7ul;
    if (race_unlikely(end >> 47 || !shadow_marks))
        return;
    for (uintptr_t next; addr < end; addr = next) {
        _Atomic(uint8_t) *mark = &shadow_marks[addr >> MARK_BITS];
        if (addr % (MARKS * KIB) == 0 && end - addr >= MARKS * KIB &&
            (__atomic_load_n((uint64_t __attribute__((may_alias)) *)mark, __ATOMIC_RELAXED) & all_hold) == 0) {
            next = addr + MARKS * KIB;
            continue;
        }
        next = (addr | (KIB - 1)) + 1;
        if (atomic_load_explicit(mark, memory_order_relaxed) & MARK_HOLDS) {
            if (addr % KIB == 0 && next <= end)
                atomic_fetch_and_explicit(mark, (uint8_t)~MARK_HOLDS, memory_order_relaxed);
            struct shadow *s = shadow_of(addr), *stop = s + ((next < end ? next : end) - addr) / 8;
            for (; s < stop; s++)
                clear_word(s);
        }
    }
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
        uint64_t e = atomic_load_explicit(&s->epoch, memory_order_relaxed);
        if (i == 1 && shadow_list_of(e))
            break;
        e &= ~(uint64_t)EPOCH_LOCK;
        if ((e & EPOCH_WRITE) && !(e & EPOCH_ATOMIC)) {
            *out = (struct race_side){e, atomic_load_explicit(&s->node, memory_order_relaxed) & SHADOW_NODE,
                                      atomic_load_explicit(&s->pc, memory_order_relaxed)};
            return true;
        }
    }
    return false;
}
