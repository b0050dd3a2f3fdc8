/* Locksets, their history, the table of locks. See race_locks.h.
 *
 * Fast path of a lock: four places of the goroutine's own remember the sets that it last went to (by address and program counter), so a lock in a
 * loop costs a few compares, two stores to the race_lock, a tick and a store to the history; an unlock of the latest lock the same without the
 * search. The tables are touched only by what is new. */
#include "race_locks.h"

#include "race_alloc.h"
#include "race_die.h"
#include "race_flags.h"
#include "race_held.h"
#include "race_lock_history.h"
#include "race_order.h"
#include "race_shadow.h"
#include "race_report.h"
#include "race_spin.h"
#include "race_waits.h"

enum { BUCKETS = 1 << 20, LOCK_BUCKETS = 1 << 18, STRIPES = 64, PAGES = 1 << 14, CHUNK = 4096, CHUNKS = 1024, SETS_MAX = CHUNK * CHUNKS };

static uint64_t mix(uint64_t h)
{
    h *= 0x9e3779b97f4a7c15u;
    h ^= h >> 29;
    h *= 0xbf58476d1ce4e5b9u;
    return h ^ h >> 32;
}

/* ---- locks by address ---- */

static struct {
    atomic_flag lock;
    _Atomic(struct race_lock *) first;
} lock_buckets[LOCK_BUCKETS];
static atomic_uint pages[PAGES], areas[PAGES];   /* how many locks in a page, in 256 KiB; those that hash alike are counted together */

static uint32_t page_of(uintptr_t addr)
{
    return (uint32_t)mix(addr >> 12) % PAGES;
}

static uint32_t area_of(uintptr_t addr)
{
    return (uint32_t)mix(addr >> 18) % PAGES;
}

/* Those of one page lie in neighbouring buckets. */
static uint32_t lock_bucket_of(uintptr_t addr)
{
    return ((uint32_t)mix(addr >> 12) + (uint32_t)(addr >> 2)) % LOCK_BUCKETS;
}

static struct race_lock *lock_find(uintptr_t addr)
{
    struct race_lock *l = atomic_load_explicit(&lock_buckets[lock_bucket_of(addr)].first, memory_order_acquire);
    while (l && l->addr != addr)
        l = l->next;
    return l;
}

static struct race_lock *lock_of(uintptr_t addr)
{
    struct race_lock *l = lock_find(addr);
    if (l)
        return l;
    uint32_t b = lock_bucket_of(addr);
    race_spin_lock(&lock_buckets[b].lock);
    l = lock_find(addr);
    if (!l) {
        l = race_alloc(sizeof *l);
        l->addr = addr;
        l->next = atomic_load_explicit(&lock_buckets[b].first, memory_order_relaxed);
        atomic_fetch_add_explicit(&pages[page_of(addr)], 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&areas[area_of(addr)], 1, memory_order_relaxed);
        atomic_store_explicit(&lock_buckets[b].first, l, memory_order_release);
    }
    race_spin_unlock(&lock_buckets[b].lock);
    return l;
}

/* ---- locksets ---- */

static _Atomic(struct lockset *) set_buckets[BUCKETS];
static atomic_flag set_locks[STRIPES];
static _Atomic(struct lockset *) chunks[CHUNKS];
static atomic_uint nsets = 1;

static struct lockset *slot_of(uint32_t id)
{
    _Atomic(struct lockset *) *c = &chunks[id / CHUNK];
    struct lockset *chunk = atomic_load_explicit(c, memory_order_acquire);
    if (!chunk) {
        struct lockset *none = NULL;
        chunk = race_map(CHUNK * sizeof *chunk);
        if (!atomic_compare_exchange_strong(c, &none, chunk))
            chunk = none;
        else
            race_memory_count(CHUNK * sizeof *chunk);
    }
    return &chunk[id % CHUNK];
}

struct lockset *lockset_by_id(uint32_t id)
{
    return id ? slot_of(id) : &lockset_none;
}

static struct lockset *set_find(uint32_t b, const struct lockset *key)
{
    struct lockset *s = atomic_load_explicit(&set_buckets[b], memory_order_acquire);
    while (s && (s->parent != key->parent || s->lock != key->lock || s->node != key->node || s->pc != key->pc || s->kind != key->kind))
        s = s->next;
    return s;
}

static void nest(struct race_lock *l)
{
    if (!atomic_load_explicit(&l->nested, memory_order_relaxed))
        atomic_store_explicit(&l->nested, true, memory_order_seq_cst);
}

/* parent and one more. NULL: four million sets, there is no room for more. */
static struct lockset *set_of(struct lockset *parent, struct race_lock *lock, unsigned kind, uint32_t node, uint32_t pc)
{
    struct lockset key = {.parent = parent, .lock = lock, .kind = kind, .node = node, .pc = pc};
    uint32_t b = (uint32_t)mix((uint64_t)parent->id << 32 ^ lock->addr ^ mix((uint64_t)node << 32 ^ pc) ^ kind) % BUCKETS;
    struct lockset *s = set_find(b, &key);
    if (s)
        return s;
    race_spin_lock(&set_locks[b % STRIPES]);
    s = set_find(b, &key);
    if (!s) {
        uint32_t id = atomic_load_explicit(&nsets, memory_order_relaxed);
        if (id < SETS_MAX)
            id = atomic_fetch_add_explicit(&nsets, 1, memory_order_relaxed);
        static atomic_flag said = ATOMIC_FLAG_INIT;
        if (id >= SETS_MAX && !atomic_flag_test_and_set_explicit(&said, memory_order_relaxed))
            race_warn("four million sets of locks were held", "of goroutines that hold further ones it is not known what they hold");
        if (id < SETS_MAX) {
            if (parent != &lockset_none) {
                nest(parent->lock);
                nest(lock);
            }
            s = slot_of(id);
            key.id = id;
            key.live = kind & LOCK_GONE ? parent->live - 1 : parent->live + 1;
            key.gone = parent->gone + (kind & LOCK_GONE ? 1 : 0);
            key.next = atomic_load_explicit(&set_buckets[b], memory_order_relaxed);
            *s = key;
            atomic_store_explicit(&set_buckets[b], s, memory_order_release);
        }
    }
    race_spin_unlock(&set_locks[b % STRIPES]);
    return s;
}

static bool contains(struct lockset *s, uintptr_t addr)
{
    struct race_lock *l = lock_find(addr);
    return l && lockset_find(s, l);
}

/* s made anew, of what is held. NULL: there is no room. */
static struct lockset *tidied(struct lockset *s)
{
    struct lockset **held = lockset_held(s), *all = &lockset_none;
    uint32_t live = s->live;
    for (uint32_t i = live; i-- > 0 && all;)
        all = set_of(all, held[i]->lock, held[i]->kind, held[i]->node, held[i]->pc);
    race_free(held, live * sizeof held[0]);
    return all;
}

/* s without its latest entry for addr, which it has. NULL: there is no room. */
static struct lockset *without(struct lockset *s, uintptr_t addr)
{
    if (s->live == 1)
        return &lockset_none;
    enum { NEAR = 16 };
    struct lockset *above[NEAR], *rest = s;
    int n = 0;
    for (; n < NEAR && rest->lock->addr != addr && !(rest->kind & LOCK_GONE); rest = rest->parent)
        above[n++] = rest;
    if (rest->lock->addr != addr || (rest->kind & LOCK_GONE)) {
        struct lockset *all = set_of(s, lock_find(addr), LOCK_GONE, 0, 0);
        return all && all->gone > all->live + NEAR ? tidied(all) : all;
    }
    for (rest = rest->parent; n > 0 && rest; n--)
        rest = set_of(rest, above[n - 1]->lock, above[n - 1]->kind, above[n - 1]->node, above[n - 1]->pc);
    return rest;
}

/* ---- taking and giving back ---- */

static struct lockset *add_slow(struct race_g *g, struct lockset *s, uintptr_t addr, unsigned kind, uint32_t pc)
{
    if ((kind & LOCK_TYPE) <= LOCK_GO_RWMUTEX && !(kind & LOCK_READ) && race_holds(g, addr))
        s = without(s, addr);   /* another goroutine has unlocked it meanwhile */
    return s ? set_of(s, lock_of(addr), kind, g->node->id, pc) : NULL;
}

/* What g will hold, not hinted at. NULL: unknown. */
static race_noinline struct lockset *add_new(struct race_g *g, uintptr_t addr, unsigned kind, uintptr_t pc)
{
    lock_use(g, addr, pc);
    struct lockset *c = add_slow(g, g->locks, addr, kind, race_pc_pack(pc));
    return c ? *race_lock_hint(g, addr, pc) = c : NULL;
}

/* What g did so far it did without the lock it has now: the epoch must tell, if anything was recorded under it, and no later access may be recorded under an
 * epoch before it. What was recorded is still to be published: `recorded` stays. */
static inline void new_epoch(struct race_g *g)
{
    g->only = NULL;
    if (!g->recorded)
        return;
    race_g_tick(g);
    g->recorded = true;
}

void race_lock_taken(struct race_g *g, const void *addr, unsigned kind, uintptr_t pc, struct lockset *c)
{
    if (race_unlikely(!c) && (race_is_nobody(g) || g->locks_off))
        return;
    new_epoch(g);
    if (race_unlikely(!c) && (c = add_new(g, (uintptr_t)addr, kind, pc)) == NULL) {   /* from here on nothing is known of this goroutine's locks */
        g->locks_off = true;
        g->locks = &lockset_none;
        lock_history_push(g, LOCKSET_UNKNOWN);
        return;
    }
    struct race_lock *l = c->lock;
    if (race_likely(!(kind & LOCK_READ))) {
        atomic_store_explicit(&l->since, g->epoch, memory_order_relaxed);
        atomic_store_explicit(&l->holder, c, memory_order_relaxed);
    } else {
        atomic_store_explicit(&l->since, g->epoch, memory_order_relaxed);
        atomic_fetch_add_explicit(&l->readers, 1, memory_order_relaxed);
    }
    g->locks = c;
    lock_history_push(g, c->id);
    if (race_unlikely(c->parent != &lockset_none) && !(kind & LOCK_TRIED) && race_flags.detect_deadlocks)
        race_order_check(g, c);
}

/* Whether l, which g's set still has, began a new life unseen: a mutex of a function that returned without unlocking it, and was called again. */
static bool has_begun_anew(const struct race_g *g, struct race_lock *l)
{
    struct race_side w;
    if (!atomic_load_explicit(&l->holder, memory_order_relaxed) && atomic_load_explicit(&l->readers, memory_order_relaxed) == 0)
        return true;
    uint64_t since = atomic_load_explicit(&l->since, memory_order_relaxed);
    return epoch_slot(since) == g->slot && shadow_last_write(l->addr, &w) && epoch_slot(w.epoch) == g->slot && epoch_clock(w.epoch) >= epoch_clock(since);
}

static race_noinline void forget_former_life(struct race_g *g, uintptr_t addr)
{
    race_lock_gone(NULL, addr, 1, LOCK_INITIALIZED, 0);
    struct lockset *s = g->locks;
    while (s && contains(s, addr))
        s = without(s, addr);
    g->locks_off = s == NULL;
    g->locks = s ? s : &lockset_none;
    lock_history_push(g, s ? s->id : LOCKSET_UNKNOWN);
}

void race_lock_wanted_too(struct race_g *g, const void *addr, unsigned kind, uintptr_t pc)
{
    if (g == &race_ignored || g->locks_off)
        return;
    if (race_unlikely(race_holds(g, (uintptr_t)addr))) {
        struct lockset *s = lockset_find(g->locks, lock_find((uintptr_t)addr));
        bool waits_for_itself = (kind & LOCK_TYPE) >= LOCK_MUTEX && !(kind & LOCK_RECURSIVE) && !((kind & s->kind) & LOCK_READ);
        if (waits_for_itself && has_begun_anew(g, s->lock)) {
            forget_former_life(g, (uintptr_t)addr);
        } else {
            if (waits_for_itself)
                race_lock_misused(g, addr, kind, MISUSE_DOUBLE_LOCK, pc);
            return;
        }
    }
    struct lockset *c = race_lock_hinted(g, (uintptr_t)addr, kind, pc);
    c = c ? c : add_new(g, (uintptr_t)addr, kind, pc);
    if (c && c->parent != &lockset_none && race_flags.detect_deadlocks)
        race_order_check(g, c);
}

/* A goroutine's unlock of what it did not lock is legal for Go's locks; that of a reader's share can't be told apart. */
static race_noinline bool released_slow(struct race_g *g, uintptr_t addr, unsigned kind)
{
    struct lockset *s = g->locks;
    struct race_lock *l = lock_find(addr);
    if (race_holds(g, addr)) {
        s = without(s, addr);
        g->locks_off = s == NULL;
        g->locks = s ? s : &lockset_none;
        lock_history_push(g, s ? s->id : LOCKSET_UNKNOWN);
        return true;
    }
    if (l && (kind & LOCK_TYPE) <= LOCK_GO_RWMUTEX)
        atomic_store_explicit(&l->foreign, true, memory_order_relaxed);
    return false;
}

bool race_lock_released(struct race_g *g, const void *addr, unsigned kind)
{
    if (race_unlikely(race_is_nobody(g) || g->locks_off))
        return true;
    struct lockset *s = g->locks;
    struct race_lock *l = s->lock;
    bool mine = true;
    if (race_likely(l != NULL && l->addr == (uintptr_t)addr && !(s->kind & LOCK_GONE))) {
        g->locks = s->parent;
        lock_history_push(g, s->parent->id);
        kind |= s->kind & LOCK_RECURSIVE;
    } else {
        mine = released_slow(g, (uintptr_t)addr, kind);
        l = lock_find((uintptr_t)addr);
        if (!l)
            return false;
        if (!mine && (kind & LOCK_TYPE) >= LOCK_MUTEX)
            return false;
    }
    if (race_unlikely(kind & LOCK_READ)) {
        if (atomic_load_explicit(&l->readers, memory_order_relaxed) > 0)
            atomic_fetch_sub_explicit(&l->readers, 1, memory_order_relaxed);
    } else if (!(kind & LOCK_RECURSIVE) || !race_holds(g, (uintptr_t)addr)) {
        atomic_store_explicit(&l->holder, NULL, memory_order_relaxed);
    }
    return mine;
}

bool race_lock_has_holder(const void *addr)
{
    struct race_lock *l = lock_find((uintptr_t)addr);
    return l && atomic_load_explicit(&l->holder, memory_order_relaxed);
}

void race_lock_note(const void *addr, unsigned note)
{
    struct race_lock *l = note ? lock_of((uintptr_t)addr) : lock_find((uintptr_t)addr);
    if (l)
        atomic_store_explicit(&l->note, (uint16_t)note, memory_order_relaxed);
}

unsigned race_lock_noted(const void *addr)
{
    struct race_lock *l = lock_find((uintptr_t)addr);
    return l ? atomic_load_explicit(&l->note, memory_order_relaxed) : 0;
}

/* ---- ends ---- */

static const enum lock_misuse ends[] = {
    [LOCK_DESTROYED] = MISUSE_DESTROY, [LOCK_FREED] = MISUSE_FREE, [LOCK_STACK_ENDED] = MISUSE_STACK_ENDED,
};

static void lock_ends(struct race_g *g, struct race_lock *l, enum lock_end how, uintptr_t pc)
{
    struct lockset *holder = atomic_load_explicit(&l->holder, memory_order_relaxed);
    unsigned readers = atomic_load_explicit(&l->readers, memory_order_relaxed);
    if (how == LOCK_STACK_ENDED)
        race_sync_forget(l->addr, LOCK_BYTES);
    else if (g && !holder && !readers)
        lock_use_ends(g, l, how, pc);
    if (g && how != LOCK_INITIALIZED && (holder || readers) && !atomic_load_explicit(&l->foreign, memory_order_relaxed))
        race_lock_misused(g, (void *)l->addr, holder ? holder->kind : (unsigned)LOCK_READ | LOCK_RWLOCK, ends[how], pc);
    atomic_store_explicit(&l->holder, NULL, memory_order_relaxed);
    atomic_store_explicit(&l->readers, 0, memory_order_relaxed);
    atomic_store_explicit(&l->foreign, false, memory_order_relaxed);
    race_order_ends(l);
}

void race_lock_gone(struct race_g *g, uintptr_t addr, size_t n, enum lock_end how, uintptr_t pc)
{
    race_waits_gone(g, addr, n, how, pc);
    uintptr_t end = addr + n;
    while (addr < end) {
        uintptr_t area_end = (addr | 0x3ffff) + 1, page_end = (addr | 4095) + 1;
        if (atomic_load_explicit(&areas[area_of(addr)], memory_order_relaxed) == 0) {
            addr = area_end;
            continue;
        }
        uintptr_t stop = end < page_end ? end : page_end;
        if (atomic_load_explicit(&pages[page_of(addr)], memory_order_relaxed) == 0) {
            addr = stop;
            continue;
        }
        for (uintptr_t a = (addr + 3) & ~3ul; a < stop; a += 4) {
            struct race_lock *l = lock_find(a);
            if (l)
                lock_ends(g, l, how, pc);
        }
        addr = stop;
    }
}

void race_lock_misused(struct race_g *g, const void *addr, unsigned kind, enum lock_misuse what, uintptr_t pc)
{
    if (race_is_nobody(g))
        return;
    struct race_side now = {g->epoch, g->node->id, pc ? race_pc_pack(pc) : 0}, before = {0};
    struct race_lock *l = lock_find((uintptr_t)addr);
    struct lockset *holder = l ? atomic_load_explicit(&l->holder, memory_order_relaxed) : NULL;
    if (what == MISUSE_DOUBLE_LOCK && !holder)
        for (struct lockset *s = g->locks; l && (s = lockset_find(s, l)) != NULL; s = s->parent)
            holder = s;
    if (holder)
        before = (struct race_side){atomic_load_explicit(&l->since, memory_order_relaxed), holder->node, holder->pc};
    race_report_misuse(g, what, (uintptr_t)addr, kind, before, now);
}
