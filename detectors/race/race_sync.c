/* Synchronization by address: a hash table of race_sync. See race_sync.h.
 *
 * A bucket is one word: the first of its list, with bit 0 as its lock. Who finds it locked waits away from the cache line, longer each time: the holder,
 * which mostly comes again at once, gets many operations done meanwhile with all lines at hand; two that take turns would move five lines for each. After
 * such a turn it presses, and the others let it pass: a thread that tries in vain, again and again, would keep it from its lock. The list, and all that is
 * in it, is read and written under the lock, but by who is alone with a sync: its address stands for what the caller holds (race_acquire_held), or its thread
 * is the owner, as follows.
 *
 * The neighbours of an address lie in neighbouring buckets, one for each 4 bytes, and each page has a count, so that forgetting a freed block looks only where
 * there is something. The table is committed as touched.
 *
 * What one thread alone synchronizes by, in a region that is biased to it, does without the lock (own_begin; race_atomic.c: alone_begin). The
 * thread is the sync's owner then, and may use it between bias_enter and bias_leave. Who has locked the bucket and finds another owner takes
 * that off first (disown): it clears the field, and then sees to it that the region is not the owner's. Of the owner, which stores busy and then reads
 * the field, membarrier leaves two cases, as with the region itself: it is seen to be busy, and waited for, or it sees the field cleared. If the
 * region was nobody else's already, the owner can only come back to it by a compare-and-swap, a full barrier like the one here between the field and
 * the look at the region.
 *
 * Who polls a flag mostly knows all that is there, and would keep the others from the bucket only to find that out. It looks without the lock, as at a
 * sequence lock (race_sync_look, then the flag, then race_sync_is_settled; tests/spin/sync_look.pml): the bucket's word, which says locked while something is
 * changed, and the version of its first sync are the same before and after. A change stores LOCKED, then (release fence) the rest, then the version, then
 * the word (release); the look reads the word (acquire), the version, the flag (acquire), the rest, then (acquire fence) the word (acquire) and the
 * version. So if the flag or anything else that it read was stored by a change that is not over, it finds LOCKED or another version the second time.
 * Two things change without the lock or a version: the sync of an owner, so there must be none, or the caller, to begin with (another can only come with a
 * change, and taking off the last one is a change that ends when he is not busy any more); and `seen`, which stays set in this version. A sync that
 * was freed is not that address's (held), or has a new version: no two that begin are equal.
 *
 * What of it is known is one look where all that is there is one goroutine's (whole). Else who polls would have to lock each time, to learn nothing: so a
 * goroutine remembers the version in which it last learned all that was there, or noted it for an acquire fence (race_sync_note). */
#include "race_sync.h"

#include <sched.h>

#include "race_alloc.h"
#include "race_shadow.h"

enum { BUCKETS = 1 << 20, PAGES = 1 << 18, LOCKED = 1 };

static _Atomic(uintptr_t) buckets[BUCKETS];
static atomic_uint pages[PAGES];   /* how many race_sync in the page (pages that hash alike are counted together) */

static uint32_t page_hash(uintptr_t addr)
{
    return (uint32_t)(((addr >> 12) * 0x9e3779b97f4a7c15u) >> 44);
}

static _Atomic(uintptr_t) *bucket_of(uintptr_t addr)
{
    return &buckets[(page_hash(addr) + (uint32_t)(addr >> 2)) % BUCKETS];
}

static atomic_uint *page_of(uintptr_t addr)
{
    return &pages[page_hash(addr) % PAGES];
}

/* In ticks of the processor's clock (some 0.3 ns): the first wait, the longest, how long ago a bucket that was found locked twice counts as fought for, and how
 * often it is changed then. */
enum { WAIT_FIRST = 400, WAIT_MAX = 48000, FOUGHT_FOR = 400000, CHANGED_EACH = 2000 };

/* Without a look at the bucket meanwhile: that would take the line from the holder. */
static void wait_away(uint64_t ticks)
{
    for (uint64_t from = __builtin_ia32_rdtsc(); __builtin_ia32_rdtsc() - from < ticks;)
        __builtin_ia32_pause();
}

/* How often the bucket's syncs changed, so far. The first may be freed meanwhile, which makes no difference but to the number: its memory stays the
 * detector's. */
static uint64_t changes_of(_Atomic(uintptr_t) *b)
{
    struct race_sync *first = (struct race_sync *)(atomic_load_explicit(b, memory_order_relaxed) & ~(uintptr_t)LOCKED);
    return first ? __atomic_load_n(&first->version, __ATOMIC_RELAXED) : 0;
}

/* Who has waited once and finds the bucket locked again presses: the others let it go first, for a while (its thread may not be running). Counted for
 * buckets that hash alike together. */
enum { PRESSING = 1 << 10, LET_PASS = 4000 };
static atomic_uint pressing[PRESSING];

static atomic_uint *pressing_at(const _Atomic(uintptr_t) *b)
{
    return &pressing[(b - buckets) % PRESSING];
}

static race_noinline void let_pass(_Atomic(uintptr_t) *b)
{
    for (uint64_t from = __builtin_ia32_rdtsc(); __builtin_ia32_rdtsc() - from < LET_PASS && atomic_load_explicit(pressing_at(b), memory_order_relaxed);)
        __builtin_ia32_pause();
}

/* One that presses: until it is unlocked. */
static race_noinline void press(_Atomic(uintptr_t) *b)
{
    for (unsigned rounds = 0; atomic_load_explicit(b, memory_order_relaxed) & LOCKED; rounds++) {
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
    wait_away(last.wait);
    bool fought_for = changes_of(b) - before >= last.wait / CHANGED_EACH;   /* or we met by chance */
    last.wait = !fought_for ? WAIT_FIRST : last.wait < WAIT_MAX ? last.wait * 2 : WAIT_MAX;
}

/* Acquire pairs with the release of unlock(). By the release fence nothing of a change is seen before LOCKED is (race_sync_look). Returns the first of the
 * list. */
static struct race_sync *lock(_Atomic(uintptr_t) *b)
{
    for (unsigned tries = 0;; tries++) {
        bool presses = tries > 1;
        if (race_unlikely(atomic_load_explicit(pressing_at(b), memory_order_relaxed)) && !presses)
            let_pass(b);
        uintptr_t first = atomic_load_explicit(b, memory_order_relaxed);
        if (race_likely(!(first & LOCKED)) &&
            race_likely(atomic_compare_exchange_strong_explicit(b, &first, first | LOCKED, memory_order_acquire, memory_order_relaxed))) {
            atomic_thread_fence(memory_order_release);
            if (race_unlikely(presses))
                atomic_fetch_sub_explicit(pressing_at(b), 1, memory_order_relaxed);
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

struct race_sync *race_sync_lock(uintptr_t addr, bool make)
{
    _Atomic(uintptr_t) *b = bucket_of(addr);
    struct race_sync *first = lock(b), *s = first;
    while (s && race_unlikely(s->addr != addr))
        s = s->next;
    if (race_likely(s != NULL)) {
        make_mine(s);
    } else if (make) {
        s = race_alloc(sizeof *s);
        s->addr = addr;
        s->next = first;
        s->version = version_first();
        atomic_store_explicit(b, (uintptr_t)s | LOCKED, memory_order_relaxed);
        atomic_fetch_add_explicit(page_of(addr), 1, memory_order_relaxed);
    }
    return s;
}

void race_sync_note(struct race_g *g, struct race_sync *s, bool known)
{
    if (!s || (atomic_load_explicit(bucket_of(s->addr), memory_order_relaxed) & ~(uintptr_t)LOCKED) != (uintptr_t)s)
        return;
    g->noted = s;
    g->noted_version = s->version;
    g->noted_is_known = known;
    g->noted_left = 0;
}

void race_sync_unlock_left(struct race_g *g, struct race_sync *s, bool known)
{
    _Atomic(uintptr_t) *b = bucket_of(s->addr);
    struct race_sync *first = (struct race_sync *)(atomic_load_explicit(b, memory_order_relaxed) & ~(uintptr_t)LOCKED);
    if (first == s) {
        g->noted = s;
        g->noted_version = s->version + 1;
        g->noted_is_known = known;
        g->noted_left = g->clock - 1;
    }
    unlock_changed(b, first);
}

void race_sync_unlock(uintptr_t addr)
{
    _Atomic(uintptr_t) *b = bucket_of(addr);
    unlock_changed(b, (struct race_sync *)(atomic_load_explicit(b, memory_order_relaxed) & ~(uintptr_t)LOCKED));
}

void race_sync_unlock_unchanged(uintptr_t addr)
{
    _Atomic(uintptr_t) *b = bucket_of(addr);
    unlock(b, (struct race_sync *)(atomic_load_explicit(b, memory_order_relaxed) & ~(uintptr_t)LOCKED));
}

/* ---- with it locked ---- */

/* Whether known, which may be a part of what is known there, is enough to say that all that g knows is known there: what g published since it
 * learned something, or what was published where g learned it. */
static bool knows_all_of(const struct clock *known, const struct race_g *g)
{
    return clock_get(known, g->slot) >= g->learned_at || (g->from_value && clock_get(known, g->from_slot) >= g->from_value);
}

/* Of trees; clocks of one leaf are joined as fast as that is found out. */
static void learn(struct race_g *g, const struct clock *known, uint32_t slot, uint32_t value)
{
    if (known->root && known->root->level > 0 && ((g->from_slot == slot && g->from_value && g->from_value <= value) || knows_all_of(known, g))) {
        clock_copy(&g->known, known);
        clock_raise(&g->known, slot, value);
        g->from_slot = slot;
        g->from_value = value;
    } else {
        clock_learn(&g->known, known, slot, value);
        g->from_value = 0;
    }
    g->learned_at = g->clock;
}

static bool is_tree(const struct clock *c)
{
    return c->root && c->root->level > 0;
}

/* g comes to see what is there. Where many come the last release's value is put into the tree once, here, rather than in the copy that each would have to
 * make. */
static void come(const struct race_g *g, struct race_sync *s)
{
    if (s->seen && s->whole && is_tree(&s->clock) && !race_sync_is_known(g, s))
        clock_raise(&s->clock, s->slot, s->value);
    if (s->slot != g->slot)
        s->seen = true;
}

void race_sync_acquire(struct race_g *g, struct race_sync *s)
{
    come(g, s);
    if (race_sync_is_known(g, s))
        return;
    if (s->whole) {
        learn(g, &s->clock, s->slot, s->value);
        return;
    }
    race_g_learn(g, &s->clock);
    race_g_learn(g, &s->own);
    if (s->slot != g->slot && clock_get(&g->known, s->slot) < s->value) {
        clock_raise(&g->known, s->slot, s->value);
        race_g_learned(g);
    }
}

void race_sync_set(struct race_sync *s, uint32_t slot, uint32_t value, const struct clock *known)
{
    clock_assign(&s->clock, known);
    if (race_unlikely(s->own.root != NULL))
        clock_clear(&s->own);
    s->slot = slot;
    s->value = value;
    s->whole = true;
    s->seen = false;
}

void race_sync_leave(struct race_g *g, struct race_sync *s, uint32_t value)
{
    if (race_likely(race_sync_is_left_by(g, s))) {
        s->value = value;
        s->seen = false;
    } else {
        race_sync_set(s, g->slot, value, &g->known);
    }
}

void race_sync_leave_merge(struct race_sync *s, uint32_t slot, uint32_t value, const struct clock *known, bool knows)
{
    if (s->slot != slot)
        clock_raise(&s->own, s->slot, s->value);
    else if (value < s->value)   /* of a fence before */
        value = s->value;
    if (knows) {
        clock_assign(&s->clock, known);
        s->whole = true;
    } else {
        clock_join(&s->clock, known, true);
        s->whole = false;
    }
    s->slot = slot;
    s->value = value;
    s->seen = false;
}

void race_sync_release(struct race_g *g, struct race_sync *s)
{
    race_sync_leave(g, s, race_g_value(g));
    race_g_publish(g);
}

void race_sync_release_merge(struct race_g *g, struct race_sync *s)
{
    static const struct clock nothing;
    if (race_sync_is_known(g, s))
        race_sync_leave(g, s, race_g_value(g));
    else
        race_sync_leave_merge(s, g->slot, race_g_value(g), knows_all_of(&s->clock, g) ? &nothing : &g->known, false);
    race_g_publish(g);
}

void race_sync_join_into(struct race_sync *s, struct clock *c)
{
    s->seen = true;
    clock_join(c, &s->clock, true);
    clock_raise(c, s->slot, s->value);
    if (!s->whole && s->own.root)
        clock_join(c, &s->own, true);
}

void race_sync_clear(struct race_sync *s)
{
    clock_clear(&s->clock);
    clock_clear(&s->own);
    s->slot = s->value = 0;
    s->whole = s->seen = false;
}

/* ---- by address ---- */

static bool is_off(const struct race_g *g)
{
    return g == NULL || g == &race_ignored;
}

/* Without the lock, if addr's sync is the first of its bucket (made by a release before). Only g touches what is in it but for the link. The bucket may change
 * meanwhile, and the first that we saw be freed, if it is another address's: then the word that we compare is no user's address (it is a free
 * block's link, or zero, or a detector's pointer). */
static inline __attribute__((always_inline)) struct race_sync *held(uintptr_t addr)
{
    struct race_sync *s = (struct race_sync *)(atomic_load_explicit(bucket_of(addr), memory_order_acquire) & ~(uintptr_t)LOCKED);
    return s && race_likely(__atomic_load_n(&s->addr, __ATOMIC_RELAXED) == addr) ? s : NULL;
}

bool race_sync_look(uintptr_t addr, struct race_look *look)
{
    look->first = atomic_load_explicit(bucket_of(addr), memory_order_acquire);
    struct race_sync *s = (struct race_sync *)look->first;
    if (!s)
        return true;
    if ((look->first & LOCKED) || __atomic_load_n(&s->addr, __ATOMIC_RELAXED) != addr)
        return false;
    look->version = __atomic_load_n(&s->version, __ATOMIC_ACQUIRE);
    unsigned owner = __atomic_load_n(&s->owner, __ATOMIC_RELAXED);
    return owner == 0 || owner == bias_me->id;
}

/* Whether nothing was changed since the look, after what was read. */
static inline __attribute__((always_inline)) bool is_unchanged(uintptr_t addr, const struct race_look *look)
{
    struct race_sync *s = (struct race_sync *)look->first;
    bool same = !s || __atomic_load_n(&s->addr, __ATOMIC_RELAXED) == addr;
    atomic_thread_fence(memory_order_acquire);
    return same && atomic_load_explicit(bucket_of(addr), memory_order_acquire) == look->first &&
           (!s || __atomic_load_n(&s->version, __ATOMIC_RELAXED) == look->version);
}

/* (The caller's own thread, for another goroutine, changes no version.) */
static inline bool is_noted(const struct race_g *g, const struct race_look *look, bool acquires)
{
    struct race_sync *s = (struct race_sync *)look->first;
    return s == g->noted && look->version == g->noted_version && (!acquires || g->noted_is_known) && __atomic_load_n(&s->owner, __ATOMIC_RELAXED) == 0;
}

static inline __attribute__((always_inline)) bool is_settled(const struct race_g *g, uintptr_t addr, const struct race_look *look, bool acquires)
{
    struct race_sync *s = (struct race_sync *)look->first;
    if (!s)
        return is_unchanged(addr, look);
    uint32_t slot = __atomic_load_n(&s->slot, __ATOMIC_RELAXED), value = __atomic_load_n(&s->value, __ATOMIC_RELAXED);
    bool whole = __atomic_load_n(&s->whole, __ATOMIC_RELAXED), seen = __atomic_load_n(&s->seen, __ATOMIC_RELAXED), noted = is_noted(g, look, acquires);
    if (!is_unchanged(addr, look))
        return false;
    if (noted || (whole && slot == g->slot))
        return true;
    return whole && seen && (clock_get(&g->known, slot) >= value || (!acquires && clock_get(&g->fence_acquire, slot) >= value));
}

bool race_sync_is_settled(const struct race_g *g, uintptr_t addr, const struct race_look *look)
{
    return is_settled(g, addr, look, true);
}

bool race_sync_is_noted(const struct race_g *g, uintptr_t addr, const struct race_look *look)
{
    return is_settled(g, addr, look, false);
}

bool race_sync_is_left(const struct race_g *g, uintptr_t addr, const struct race_look *look, bool acquires)
{
    return look->first && is_noted(g, look, acquires) && is_unchanged(addr, look);
}

static bool is_none(uintptr_t addr)
{
    return atomic_load_explicit(bucket_of(addr), memory_order_acquire) == 0;
}

struct race_sync *race_sync_held(uintptr_t addr)
{
    return held(addr);
}

/* Whether nobody else's release is there, and g has learned nothing since its own: then only the value changes. */
static inline bool left_again(struct race_g *g, struct race_sync *s)
{
    if (race_unlikely(!race_sync_is_left_by(g, s)))
        return false;
    s->value = race_g_value(g);
    s->seen = false;
    return true;
}

/* The sync of addr, if the calling thread is its owner: then it is busy. NULL: it is not. */
static inline struct race_sync *own_begin(uintptr_t addr)
{
    uint32_t region;
    if (race_unlikely(!bias_covers(addr) || !bias_enter(bias_me, addr, &region)))
        return NULL;
    struct race_sync *s = held(addr);
    if (race_likely(s && __atomic_load_n(&s->owner, __ATOMIC_RELAXED) == bias_me->id))
        return s;
    bias_leave(bias_me);
    return NULL;
}

/* Whether g, alone, has left all that it had to. */
static inline bool own_release(struct race_g *g, uintptr_t addr)
{
    struct race_sync *s = own_begin(addr);
    if (!s)
        return false;
    bool done = left_again(g, s);
    bias_leave(bias_me);
    if (done)
        race_g_publish(g);
    return done;
}

/* With the bucket locked; unlocks it. Many come at once where a channel was closed, and to learn a tree, and drop what was known before, takes longer than to
 * take a reference to it. */
static race_noinline void acquire_tree(struct race_g *g, struct race_sync *s)
{
    struct clock known = {NULL};
    come(g, s);
    clock_copy(&known, &s->clock);
    uint32_t slot = s->slot, value = s->value;
    race_sync_unlock_unchanged(s->addr);
    learn(g, &known, slot, value);
    clock_clear(&known);
}

/* Nothing there: the caller has synchronized with whoever left something already, and would see it. */
void race_acquire(struct race_g *g, const void *addr)
{
    if (is_off(g) || atomic_load_explicit(bucket_of((uintptr_t)addr), memory_order_relaxed) == 0)
        return;
    struct race_sync *own = own_begin((uintptr_t)addr);
    if (own) {
        bool known = own->whole && own->slot == g->slot;
        bias_leave(bias_me);
        if (race_likely(known))
            return;
    }
    struct race_look look;
    if (race_sync_look((uintptr_t)addr, &look) && race_sync_is_settled(g, (uintptr_t)addr, &look))
        return;
    struct race_sync *s = race_sync_lock((uintptr_t)addr, false);
    if (s && s->whole && is_tree(&s->clock) && !race_sync_is_known(g, s)) {
        acquire_tree(g, s);
        return;
    }
    if (s)
        race_sync_acquire(g, s);
    race_sync_unlock_unchanged((uintptr_t)addr);
}

void race_release(struct race_g *g, const void *addr)
{
    if (is_off(g))
        return;
    if (own_release(g, (uintptr_t)addr))
        return;
    struct race_sync *s = race_sync_lock((uintptr_t)addr, true);
    race_sync_release(g, s);
    race_sync_owned(s);
    race_sync_unlock((uintptr_t)addr);
}

void race_release_merge(struct race_g *g, const void *addr)
{
    if (is_off(g))
        return;
    if (own_release(g, (uintptr_t)addr))
        return;
    struct race_sync *s = race_sync_lock((uintptr_t)addr, true);
    race_sync_release_merge(g, s);
    race_sync_owned(s);
    race_sync_unlock((uintptr_t)addr);
}

void race_acquire_held(struct race_g *g, const void *addr)
{
    struct race_sync *s = held((uintptr_t)addr);
    if (race_unlikely(!s))
        race_acquire(g, addr);
    else if (!is_off(g) && !(s->whole && s->slot == g->slot))
        race_sync_acquire(g, s);
}

void race_release_held(struct race_g *g, const void *addr)
{
    struct race_sync *s = held((uintptr_t)addr);
    if (race_unlikely(!s))
        race_release_merge(g, addr);
    else if (race_unlikely(is_off(g)))
        return;
    else if (race_likely(left_again(g, s)))
        race_g_publish(g);
    else
        race_sync_release_merge(g, s);
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
            _Atomic(uintptr_t) *b = bucket_of(addr);
            if (atomic_load_explicit(b, memory_order_relaxed) == 0)
                continue;
            struct race_sync *first = lock(b);
            for (struct race_sync **p = &first; *p;) {
                struct race_sync *s = *p;
                if ((s->addr & ~3ul) != addr) {
                    p = &s->next;
                    continue;
                }
                make_mine(s);
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
        if (is_none(word))
            continue;
        _Atomic(uintptr_t) *b = bucket_of(word);
        struct race_sync *first = lock(b);
        for (struct race_sync *s = first; s; s = s->next) {
            if ((s->addr & ~3ul) != word)
                continue;
            make_mine(s);
            if (!race_sync_is_known(g, s))
                race_sync_join_into(s, &left);
        }
        unlock(b, first);
    }
    bool found = clock_newer(&left, &g->known, g->slot, fn, arg);
    clock_clear(&left);
    return found;
}

/* ---- in an object ---- */

static bool pass_is_known(const struct race_g *g, const struct race_pass *p)
{
    return p->value ? p->slot == g->slot || clock_get(&g->known, p->slot) >= p->value : p->clock.root == NULL;
}

static void pass_set(struct race_g *g, struct race_pass *p)
{
    if (p->value == 0 || !race_sync_is_up_to_date(g, p->slot, p->value))
        clock_assign(&p->clock, &g->known);
    p->slot = g->slot;
    p->value = race_g_value(g);
    race_g_publish(g);
}

void race_pass(struct race_g *g, struct race_pass *p)
{
    if (is_off(g))
        return;
    if (pass_is_known(g, p)) {
        pass_set(g, p);
        return;
    }
    uint32_t slot = p->slot, value = p->value;
    p->slot = g->slot;
    p->value = race_g_value(g);
    if (race_likely(clock_pass(&g->known, &p->clock, slot, value))) {
        race_g_publish(g);
        race_g_learned(g);   /* not part of what it left */
        return;
    }
    struct clock before = {NULL};
    clock_move(&before, &p->clock);
    clock_assign(&p->clock, &g->known);
    race_g_publish(g);
    learn(g, &before, slot, value);
    clock_clear(&before);
}

void race_pass_see(struct race_g *g, const struct race_pass *p)
{
    if (!is_off(g) && !pass_is_known(g, p))
        learn(g, &p->clock, p->slot, p->value);
}

void race_pass_leave(struct race_g *g, struct race_pass *p)
{
    if (is_off(g))
        return;
    if (pass_is_known(g, p)) {
        pass_set(g, p);
        return;
    }
    clock_raise(&p->clock, p->slot, p->value);
    clock_join(&p->clock, &g->known, true);
    clock_raise(&p->clock, g->slot, race_g_value(g));
    p->slot = p->value = 0;
    race_g_publish(g);
}

void race_passes_forget(struct race_pass *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        clock_clear(&p[i].clock);
        p[i].slot = p[i].value = 0;
    }
}

void race_meet(struct race_g *a, struct race_g *b)
{
    if (is_off(a) || is_off(b))
        return;
    clock_meet(&a->known, a->slot, race_g_value(a), &b->known, b->slot, race_g_value(b));
    race_g_publish(a);
    race_g_publish(b);
    race_g_learned(a);
    race_g_learned(b);
}
