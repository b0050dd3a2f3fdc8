/* Synchronization by address: a hash table of race_sync, and the lock of an address.
 *
 * A bucket is one word: the first of its list, with bit 0 as its lock. Who finds it locked waits away from the cache line, longer each time: the holder,
 * which mostly comes again at once, gets many operations done meanwhile with all lines at hand; two that take turns would move five lines for each. After
 * such a turn it presses, and the others let it pass: a thread that tries in vain, again and again, would keep it from its lock. The list, and all that is
 * in it, is read and written under the lock, but by who is alone with a sync: its address stands for what the caller holds (race_acquire_held), or its thread
 * is the owner, as follows; or who only looks (race_sync_look.c).
 *
 * Each page has a count, so that forgetting a freed block looks only where there is something. The table is committed as touched.
 *
 * What one thread alone synchronizes by, in a region that is biased to it, does without the lock (race_sync.c: own_begin; race_atomic.c: alone_begin). The
 * thread is the sync's owner then, and may use it between bias_enter and bias_leave. Who has locked the bucket and finds another owner takes
 * that off first (disown): it clears the field, and then sees to it that the region is not the owner's. Of the owner, which stores busy and then reads
 * the field, membarrier leaves two cases, as with the region itself: it is seen to be busy, and waited for, or it sees the field cleared. If the
 * region was nobody else's already, the owner can only come back to it by a compare-and-swap, a full barrier like the one here between the field and
 * the look at the region. */
#include "race_sync_table.h"

#include <sched.h>

#include "race_alloc.h"
#include "race_patience.h"
#include "race_shadow.h"

enum { PAGES = 1 << 18 };

_Atomic(uintptr_t) race_sync_buckets[SYNC_BUCKETS];
static atomic_uint pages[PAGES];   /* how many race_sync in the page (pages that hash alike are counted together) */

static atomic_uint *page_of(uintptr_t addr)
{
    return &pages[sync_page_hash(addr) % PAGES];
}

/* In ticks of the processor's clock (some 0.3 ns): the first wait, the longest, how long ago a bucket that was found locked twice counts as fought for, and how
 * often it is changed then. */
enum { WAIT_FIRST = 400, WAIT_MAX = 192000, FOUGHT_FOR = 400000, CHANGED_EACH = 2000 };

/* How often the bucket's syncs changed, so far, or the first one by its owner alone. It may be freed meanwhile, which makes no difference but to the number:
 * its memory stays the detector's. */
static uint64_t changes_of(_Atomic(uintptr_t) *b)
{
    struct race_sync *first = (struct race_sync *)(atomic_load_explicit(b, memory_order_relaxed) & ~(uintptr_t)SYNC_LOCKED);
    return first ? __atomic_load_n(&first->version, __ATOMIC_RELAXED) + __atomic_load_n(&first->alone, __ATOMIC_RELAXED) : 0;
}

/* Who has waited once and finds the bucket locked again presses: the others let it go first, for a while (its thread may not be running). Counted for
 * buckets that hash alike together. */
enum { PRESSING = 1 << 10, LET_PASS = 4000 };
static atomic_uint pressing[PRESSING];

static atomic_uint *pressing_at(const _Atomic(uintptr_t) *b)
{
    return &pressing[(b - race_sync_buckets) % PRESSING];
}

static race_noinline void let_pass(_Atomic(uintptr_t) *b)
{
    for (uint64_t from = __builtin_ia32_rdtsc(); __builtin_ia32_rdtsc() - from < LET_PASS && atomic_load_explicit(pressing_at(b), memory_order_relaxed);)
        __builtin_ia32_pause();
}

/* One that presses: until it is unlocked. */
static race_noinline void press(_Atomic(uintptr_t) *b)
{
    for (unsigned rounds = 0; atomic_load_explicit(b, memory_order_relaxed) & SYNC_LOCKED; rounds++) {
        __builtin_ia32_pause();
        if (rounds % 256 == 255)
            sched_yield();   /* the holder may have been taken off the processor */
    }
}

static race_noinline void wait_a_turn(_Atomic(uintptr_t) *b)
{
    static _Thread_local struct { _Atomic(uintptr_t) *bucket; uint64_t when, wait; } last __attribute__((tls_model("initial-exec")));
    uint64_t now = __builtin_ia32_rdtsc();
    if (last.bucket != b || now - last.when > FOUGHT_FOR)
        last.wait = WAIT_FIRST;
    last.bucket = b;
    last.when = now;
    uint64_t before = changes_of(b);
    race_wait_ticks(last.wait);
    bool fought_for = changes_of(b) - before >= last.wait / CHANGED_EACH;   /* or we met by chance */
    last.wait = !fought_for ? WAIT_FIRST : last.wait < WAIT_MAX ? last.wait * 2 : WAIT_MAX;
}

/* Acquire pairs with the release of unlock(). By the release fence nothing of a change is seen before SYNC_LOCKED is (race_sync_look). Returns the first of the
 * list. *met: somebody had it. */
static struct race_sync *lock(_Atomic(uintptr_t) *b, bool *met)
{
    for (unsigned tries = 0;; tries++) {
        bool presses = tries > 1;
        if (race_unlikely(atomic_load_explicit(pressing_at(b), memory_order_relaxed)) && !presses)
            let_pass(b);
        uintptr_t first = atomic_load_explicit(b, memory_order_relaxed);
        if (race_likely(!(first & SYNC_LOCKED)) &&
            race_likely(atomic_compare_exchange_strong_explicit(b, &first, first | SYNC_LOCKED, memory_order_acquire, memory_order_relaxed))) {
            atomic_thread_fence(memory_order_release);
            if (race_unlikely(presses))
                atomic_fetch_sub_explicit(pressing_at(b), 1, memory_order_relaxed);
            *met = tries > 0;
            return (struct race_sync *)first;
        }
        if (tries == 0) {
            wait_a_turn(b);
        } else {
            if (tries == 1)
                atomic_fetch_add_explicit(pressing_at(b), 1, memory_order_relaxed);
            press(b);
        }
    }
}

static void unlock(_Atomic(uintptr_t) *b, struct race_sync *first)
{
    atomic_store_explicit(b, (uintptr_t)first, memory_order_release);
}

static void unlock_changed(_Atomic(uintptr_t) *b, struct race_sync *first)
{
    if (first)
        __atomic_store_n(&first->version, first->version + 1, __ATOMIC_RELAXED);
    unlock(b, first);
}

/* Of a new sync. A change adds one; two thousand million in a row during one look are not to be feared. */
static uint64_t version_first(void)
{
    static _Atomic(uint64_t) last;
    static _Thread_local uint64_t mine __attribute__((tls_model("initial-exec")));
    enum { AT_ONCE = 64, CHANGES_BITS = 31 };
    if (mine % AT_ONCE == 0)
        mine = atomic_fetch_add_explicit(&last, AT_ONCE, memory_order_relaxed);
    return mine++ << CHANGES_BITS;
}

static race_noinline void disown(struct race_sync *s)
{
    __atomic_store_n(&s->owner, 0, __ATOMIC_SEQ_CST);
    atomic_thread_fence(memory_order_seq_cst);
    uint32_t owner = atomic_load_explicit(&bias_of[s->addr >> BIAS_BITS], memory_order_acquire) & BIAS_OWNER;
    if (owner != BIAS_SHARED && owner != BIAS_NONE && owner != bias_me->id)
        shadow_settle(s->addr);
    __atomic_store_n(&s->version, s->version + 1, __ATOMIC_RELAXED);   /* what the owner changed up to now */
}

/* With the bucket locked. */
static inline void make_mine(struct race_sync *s)
{
    if (race_unlikely(s->owner && s->owner != bias_me->id))
        disown(s);
}

static inline void make_whole(struct race_sync *s)
{
    make_mine(s);
    if (race_unlikely(s->parts))
        race_sync_gather(s);
}

static inline __attribute__((always_inline)) struct race_sync *lock_sync(uintptr_t addr, bool make, bool *met)
{
    _Atomic(uintptr_t) *b = sync_bucket(addr);
    struct race_sync *first = lock(b, met), *s = first;
    while (s && race_unlikely(s->addr != addr))
        s = s->next;
    if (race_likely(s != NULL)) {
        make_mine(s);
    } else if (make) {
        s = race_alloc(sizeof *s);
        s->addr = addr;
        s->next = first;
        s->version = version_first();
        atomic_store_explicit(b, (uintptr_t)s | SYNC_LOCKED, memory_order_relaxed);
        atomic_fetch_add_explicit(page_of(addr), 1, memory_order_relaxed);
    }
    return s;
}

struct race_sync *race_sync_lock(uintptr_t addr, bool make)
{
    bool met;
    struct race_sync *s = lock_sync(addr, make, &met);
    if (s && race_unlikely(s->parts))
        race_sync_gather(s);
    return s;
}

struct race_sync *race_sync_lock_part(uintptr_t addr, bool *met)
{
    return lock_sync(addr, true, met);
}

void race_sync_unlock(uintptr_t addr)
{
    _Atomic(uintptr_t) *b = sync_bucket(addr);
    unlock_changed(b, (struct race_sync *)(atomic_load_explicit(b, memory_order_relaxed) & ~(uintptr_t)SYNC_LOCKED));
}

void race_sync_unlock_unchanged(uintptr_t addr)
{
    _Atomic(uintptr_t) *b = sync_bucket(addr);
    unlock(b, (struct race_sync *)(atomic_load_explicit(b, memory_order_relaxed) & ~(uintptr_t)SYNC_LOCKED));
}

void race_sync_forget(uintptr_t addr, size_t n)
{
    uintptr_t end = addr + n;
    addr &= ~3ul;
    while (addr < end) {
        uintptr_t page_end = (addr | 4095) + 1, stop = end < page_end ? end : page_end;
        if (atomic_load_explicit(page_of(addr), memory_order_relaxed) == 0) {
            addr = stop;
            continue;
        }
        for (; addr < stop; addr += 4) {
            _Atomic(uintptr_t) *b = sync_bucket(addr);
            if (atomic_load_explicit(b, memory_order_relaxed) == 0)
                continue;
            bool met;
            struct race_sync *first = lock(b, &met);
            for (struct race_sync **p = &first; *p;) {
                struct race_sync *s = *p;
                if ((s->addr & ~3ul) != addr) {
                    p = &s->next;
                    continue;
                }
                make_whole(s);
                *p = s->next;
                atomic_fetch_sub_explicit(page_of(addr), 1, memory_order_relaxed);
                race_sync_clear(s);
                race_free(s, sizeof *s);
            }
            unlock_changed(b, first);
        }
    }
}

bool race_sync_unknown(const struct race_g *g, uintptr_t addr, size_t n, bool (*fn)(void *, uint32_t, uint32_t), void *arg)
{
    struct clock left = {NULL};
    for (uintptr_t end = addr + n, word = addr & ~3ul; word < end; word += 4) {
        if (atomic_load_explicit(sync_bucket(word), memory_order_acquire) == 0)
            continue;
        _Atomic(uintptr_t) *b = sync_bucket(word);
        bool met;
        struct race_sync *first = lock(b, &met);
        for (struct race_sync *s = first; s; s = s->next) {
            if ((s->addr & ~3ul) != word)
                continue;
            make_whole(s);
            if (!race_sync_is_known(g, s))
                race_sync_join_into(s, &left);
        }
        unlock(b, first);
    }
    bool found = clock_newer(&left, &g->known, g->slot, fn, arg);
    clock_clear(&left);
    return found;
}
