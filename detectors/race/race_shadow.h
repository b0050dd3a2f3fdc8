/* Shadow memory: for each 8 bytes of the program's memory a word of 16 bytes with the last access: its epoch with a mask of the bytes it touched
 * (race.h), the number of its call stack and its program counter. Where a later access might race with more than one, the others lie in a second
 * word of the same shape, which is touched for such words only: one entry, or a list of any length. So nothing is dropped but what is
 * subsumed: entry E is dropped when the new access A happens after E, covers E's bytes, and conflicts with all that E conflicts
 * with (A writes or E reads; A is not atomic or E is). Then whoever races with E races with A: X not after E can't be after A.
 *
 * By the same rule a new access A need not come in if the same goroutine has an entry E of the same epoch that covers A's bytes and conflicts
 * with all that A conflicts with ("E stands for A"): X unordered with A is unordered with E, as there was no release between them.
 *
 * The map from address to word: the top bits of the address choose a slice of 1 TiB, and a slice that is used has 4 TiB of address space for its
 * words, committed as touched: 2 for the first words, 2 for the second. So the word is found with one load, one addition, and no two
 * addresses share one. A slice that is not used yet has the words of no memory: they can be read, are zero, and match nothing.
 *
 * First words are put into a huge page (2 MiB, for 1 MiB of the program's memory) where a quarter of that memory's pages was accessed: then most of
 * the rest will be, each would cost a page fault, and accesses of a big table find their words with half the misses. */
#ifndef RACE_SHADOW_H
#define RACE_SHADOW_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "race.h"
#include "race_bias.h"
#include "race_list.h"

struct shadow {
    _Atomic(uint64_t) epoch;   /* 0: none. With bit 0 (EPOCH_LOCK) no epoch: a first word is locked (race_bias.h); a second one's is a list's address */
    union {
        struct {
            _Atomic(uint32_t) node;   /* and in a first word three flags */
            _Atomic(uint32_t) pc;
        };
        _Atomic(uint64_t) node_pc;    /* both, for one store */
    };
};
_Static_assert(offsetof(struct shadow, node) + 4 == offsetof(struct shadow, pc) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "node is the low half");
enum { SHADOW_MORE = 1u << 31 };      /* the second word holds something */
enum { SHADOW_SETTLED = 1 << 30 };    /* and all of it happened before this access */
enum { SHADOW_QUIET = 1 << 29 };      /* and nothing of it raced with this access: it happened before, or does not conflict */
enum { SHADOW_NODE = SHADOW_QUIET - 1 };

enum { SLICE_BITS = 40, SLICES = 256, SHADOW_SHIFT = 1 };
#define SHADOW_SECOND (1ul << (SLICE_BITS + SHADOW_SHIFT))   /* from a first word to its second one */
extern _Atomic(uintptr_t) shadow_slices[SLICES];             /* what to add to twice an address */
uintptr_t shadow_slice_new(uintptr_t addr);                  /* of a slice not used so far; 0: no program's address */
/* Before the first race_g is: without it shadow_slices can't be used. Any number of times. */
void shadow_start(void);

static inline __attribute__((always_inline)) uintptr_t shadow_slice(uintptr_t addr)
{
    return atomic_load_explicit(&shadow_slices[(uint8_t)(addr >> SLICE_BITS)], memory_order_relaxed);   /* a mapping needs no order */
}

static inline struct shadow *shadow_in(uintptr_t slice, uintptr_t addr)
{
    return (struct shadow *)(slice + ((addr & ~7ul) << SHADOW_SHIFT));
}

extern uintptr_t shadow_nobody;   /* the words of no memory */
static inline bool shadow_is_used(uintptr_t slice, uintptr_t addr)
{
    return slice + ((addr & ~((1ul << SLICE_BITS) - 1)) << SHADOW_SHIFT) != shadow_nobody;
}

/* The first word of addr; NULL: no program's address. */
static inline struct shadow *shadow_of(uintptr_t addr)
{
    uintptr_t slice = shadow_slice(addr);
    if (race_unlikely(addr >> 47 || !shadow_is_used(slice, addr)) && (slice = shadow_slice_new(addr)) == 0)
        return NULL;
    return shadow_in(slice, addr);
}

/* A mark for each KiB of the program's memory, in its region's word (race_bias.h): its words may hold something. Set when an empty word is filled, taken off
 * when all of the KiB is forgotten: so forgetting a stack that nobody's record lies in, or a large block, is a look at a few marks. */
enum { MARK_BITS = 10 };
void shadow_mark_slow(uintptr_t addr, uint32_t mark);
/* An empty word of addr was filled. region: what was read of the region's word before. */
static inline void shadow_mark(uintptr_t addr, bias_word region)
{
    uint32_t mark = 1u << (BIAS_MARKS_SHIFT + (addr >> MARK_BITS & 3));
    if (race_unlikely(!(region & mark)))
        shadow_mark_slow(addr, mark);
}

/* All words of [addr, end) were filled; they lie in one region. */
static inline void shadow_mark_all(uintptr_t addr, uintptr_t end)
{
    bias_word region = atomic_load_explicit(&bias_of[addr >> BIAS_BITS], memory_order_relaxed);
    for (; addr < end; addr = (addr | ((1ul << MARK_BITS) - 1)) + 1)
        shadow_mark(addr, region);
}

/* bias_settle, and now and then a look whether the place is dense. */
bool shadow_settle(uintptr_t addr);

/* What its holder puts into a word. Release: and unlocks. */
static inline void shadow_set(struct shadow *s, uint64_t epoch, uint32_t node, uint32_t pc)
{
    atomic_store_explicit(&s->node_pc, node | (uint64_t)pc << 32, memory_order_relaxed);
    atomic_store_explicit(&s->epoch, epoch, memory_order_release);
}

/* The list whose address a second word's epoch is; NULL: it is an entry. */
static inline struct shadow_list *shadow_list_of(uint64_t second)
{
    return second & EPOCH_LOCK ? (struct shadow_list *)(uintptr_t)(second & ~(uint64_t)EPOCH_LOCK) : NULL;
}

static inline struct shadow *shadow_second(struct shadow *s)
{
    return (struct shadow *)((char *)s + SHADOW_SECOND);
}

/* The epoch of a word that the calling thread has locked: no other thread's. */
static inline uint64_t shadow_lock(void)
{
    return (uintptr_t)&bias_me | EPOCH_LOCK;
}

/* Takes off the lock of a word that turned out not to be for the caller to lock; e: the epoch that was there. */
void shadow_lock_back(struct shadow *s, uint64_t e);
/* Whether a word could be locked at once; *e: the epoch that was there. region: the region's word, read before; it was shared, or the caller's. Acquire
 * pairs with the release that stores an epoch. */
static inline bool shadow_try_lock(struct shadow *s, uintptr_t addr, bias_word region, uint64_t *e)
{
    *e = atomic_load_explicit(&s->epoch, memory_order_relaxed);
    if ((*e & EPOCH_LOCK) || !atomic_compare_exchange_strong_explicit(&s->epoch, e, shadow_lock(), memory_order_acquire, memory_order_relaxed))
        return false;
    if (race_likely(bias_allows(addr, region)))
        return true;
    shadow_lock_back(s, *e);
    return false;
}

/* Makes s, the word of addr, and its second word the caller's alone; the epoch that was there. Storing an epoch with release and bias_leave let go.
 * *region: the region's word; the caller owns it, or has locked s. May wait: not between bias_enter and bias_leave. */
uint64_t shadow_hold(struct shadow *s, uintptr_t addr, bias_word *region);

/* Of a word that the caller holds: forgets what its second word has. */
void shadow_drop_second(struct shadow *s);
/* Forgets all accesses of [addr, addr + n): the memory begins a new life. */
void shadow_clear(uintptr_t addr, size_t n);
/* The same, and puts an entry into each word instead. */
void shadow_fill(uintptr_t addr, size_t n, uint64_t epoch, uint32_t node, uint32_t pc);
/* The latest plain write that the word of addr remembers; false: none. */
bool shadow_last_write(uintptr_t addr, struct race_side *out);

#endif
