/* The check: does this access race with one before it? race_shadow.h says what the shadow words hold and when an entry may be dropped; an access is
 * a race with entry E if they share bytes, one writes, not both are atomic, and E did not happen before.
 *
 * Who changes a word holds it: its region is his, or he has locked it (race_bias.h). A goroutine that looks without looks only for its own access of
 * its own present epoch. What it finds is true for good: nobody else enters accesses of its epoch, and nobody else's can subsume one, as nothing
 * can have happened after an epoch that has not ended. (But where memory is short, or a list gets long: then it goes, and is entered anew the next time.) */
#include "race_access.h"

#include "race_alloc.h"
#include "race_list_parts.h"

#define RELAXED memory_order_relaxed

/* After the word is let go: a report takes its time. What raced stays, to race with others: who comes after this access need not come after that one. */
static race_noinline void report_raced(struct race_g *g, uintptr_t word, struct raced *r, struct race_side me)
{
    for (uint32_t i = 0; i < r->n; i++)
        race_report(g, word, r->cap ? r->more[i] : r->few[i], me);
    if (r->cap)
        race_free(r->more, r->cap * sizeof *r->more);
}

/* A birth: the goroutine got the memory in this epoch. It counts as a write to the whole word, but is entered as what every access subsumes and none is
 * equal to: of no bytes, an atomic read. So an access that happened after it takes its place, be it of the same goroutine and epoch, and a report
 * names the program's access rather than malloc; what comes unordered with it races with it. (Bytes of the word that were not accessed meanwhile are
 * forgotten then.) Only a first word holds one: whoever races with it leaves a write behind. */
static inline uint64_t birth_of(const struct race_g *g)
{
    return g->epoch | EPOCH_ATOMIC;
}

static inline bool is_birth(uint64_t e)
{
    return epoch_mask(e) == 0;
}

static inline uint64_t birth_as_write(uint64_t e)
{
    return (e | SHADOW_STRENGTH) - EPOCH_ATOMIC;
}

static inline bool is_plain_read(uint64_t now)
{
    return !(now & (EPOCH_WRITE | EPOCH_ATOMIC));
}

/* The long way, one word, held: all entries are judged, what is subsumed goes, the access comes in. first: the first word's epoch. */
static race_noinline void word_change(struct race_g *g, struct shadow *s, uint64_t first, uintptr_t addr, uint64_t now, uintptr_t pc)
{
    uint32_t node = atomic_load_explicit(&s->node, RELAXED);
    struct race_side me = {now, g->node->id, race_pc_pack(pc)};
    struct raced raced;
    raced.n = raced.cap = 0;
    struct race_side old = {first, node & SHADOW_NODE, atomic_load_explicit(&s->pc, RELAXED)};
    bool settled = true, before, keep_old = false, more = false, on = false;
    if (first) {
        enum verdict v = shadow_judge(g, first, now, &before);
        if (race_unlikely(is_birth(first)) && !before) {
            old.epoch = birth_as_write(first);
            v = RACE;
        }
        on = shadow_goes_on(old, me);
        keep_old = v != DROP && !on;
        settled = before;
        if (v == RACE)
            raced_add(&raced, old);
    }
    struct shadow *second = shadow_second(s);
    struct shadow_list *l = NULL;
    uint64_t e = node & SHADOW_MORE ? atomic_load_explicit(&second->epoch, RELAXED) : 0;
    if (e && (l = shadow_list_of(e)) != NULL) {
        settled &= list_judge(l, g, now, &raced);
        more = true;   /* a word that had a list keeps it */
    } else if (e) {
        struct race_side side = {e, atomic_load_explicit(&second->node, RELAXED), atomic_load_explicit(&second->pc, RELAXED)};
        enum verdict v = shadow_judge(g, e, now, &before);
        more = v != DROP;
        if (v == RACE)
            raced_add(&raced, side);
        if (more)
            settled &= before;
        else
            atomic_store_explicit(&second->epoch, 0, RELAXED);
        if (more && keep_old && !race_memory_tight()) {   /* else the older one makes room */
            l = list_new();
            list_add(l, side);
        }
    }
    if (keep_old) {
        if (l) {
            list_add(l, old);
            if (e != ((uintptr_t)l | EPOCH_LOCK))
                atomic_store_explicit(&second->epoch, (uintptr_t)l | EPOCH_LOCK, memory_order_release);   /* pairs with second_stands_for */
        } else {
            shadow_set(second, old.epoch, old.node, old.pc);
        }
        more = true;
    }
    if (race_unlikely(l != NULL) && is_plain_read(now) && list_divide(l, s))
        settled = false;
    bool quiet = raced.n == 0 && (!on || (node & SHADOW_QUIET));
    uint32_t flags = (more ? SHADOW_MORE : 0) | (more && settled ? SHADOW_SETTLED : 0) | (more && quiet ? SHADOW_QUIET : 0);
    shadow_set(s, on ? now | first : now, me.node | flags, me.pc);
    bias_leave(bias_me);
    if (more)
        race_history_tell();
    if (race_unlikely(raced.n != 0))
        report_raced(g, addr & ~7ul, &raced, me);
}

/* Whether an entry in the second word stands for now. Without the lock. */
static race_noinline bool second_stands_for(struct shadow *s, uint64_t now)
{
    uint64_t e = atomic_load_explicit(&shadow_second(s)->epoch, memory_order_acquire);
    const struct shadow_list *l = shadow_list_of(e);
    return l ? list_stands_for(l, now) : shadow_stands_for(e, now);
}

/* Whether the goroutine accessed the word last, in an epoch before: then nothing else there is of this epoch. */
static inline bool is_own_before(uint64_t e, uint64_t now)
{
    uint64_t differs = e ^ now;
    return differs >> SLOT_SHIFT == 0 && differs >> CLOCK_SHIFT != 0 && !(e & EPOCH_LOCK);
}

/* Whether something behind the first entry e stands for now. Only what was recorded in this epoch does: who has recorded nothing yet need not look. (What is
 * not found comes in once more.) */
static inline bool stands_behind(const struct race_g *g, struct shadow *s, uint64_t e, uint64_t now)
{
    return race_unlikely(atomic_load_explicit(&s->node, RELAXED) & SHADOW_MORE) && g->recorded && !is_own_before(e, now) && second_stands_for(s, now);
}

/* Whether the goroutine accessed the word last, in any epoch. */
static inline bool is_own(uint64_t e, uint64_t now)
{
    return (e ^ now) >> SLOT_SHIFT == 0 && !(e & EPOCH_LOCK);
}

static inline __attribute__((always_inline)) bool word_goes_on(struct shadow *s, uint64_t e, uint64_t now, uint32_t my_node, uint32_t my_pc)
{
    struct race_side old = {e, atomic_load_explicit(&s->node, RELAXED) & SHADOW_NODE, atomic_load_explicit(&s->pc, RELAXED)};
    return shadow_goes_on(old, (struct race_side){now, my_node, my_pc});
}

/* A word, held, whose first entry is the goroutine's own, or happened before as is known at once: what lies behind it was judged when it came in (the
 * flags). If there is nothing to race with, what is there is only put in order. False: that takes the long way. sure: no entry of the same epoch stands for
 * the access; else at least the first doesn't.
 *
 * If the entry is the goroutine's and differs in its epoch only, it goes. Nobody has entered anything since, or the first entry were his; so what happened
 * before it and was not subsumed by it is not subsumed by the new one either, and what did not conflict with it does not conflict with the new one.
 * Else all that is there must have happened before: the first entry has, and so what was settled then. Where the access goes on from an entry of its own
 * epoch, both become one. */
static inline __attribute__((always_inline)) bool word_change_easy(struct shadow *s, uint64_t e, uint64_t now, uint32_t my_node, uint32_t my_pc, bool sure)
{
    uint32_t node = atomic_load_explicit(&s->node, RELAXED), flags = node & ~(uint32_t)SHADOW_NODE;
    if (((e ^ now) & ~EPOCH_CLOCK) == 0) {
        if (flags && !(flags & SHADOW_QUIET))
            return false;
    } else {
        if (flags && !(flags & SHADOW_SETTLED))
            return false;
        struct shadow *second = shadow_second(s);
        bool on = word_goes_on(s, e, now, my_node, my_pc), drop = on || shadow_subsumes(now, e);
        now |= on ? e : 0;
        if (flags) {
            uint64_t e2 = atomic_load_explicit(&second->epoch, RELAXED);
            bool on_second = !(e2 & EPOCH_LOCK) && word_goes_on(second, e2, now, my_node, my_pc);
            bool drop_second = on_second || (!(e2 & EPOCH_LOCK) && shadow_subsumes(now, e2));
            if (drop && drop_second)
                flags = 0;
            else if (!on && (!(sure || is_own_before(e, now)) || (e2 & EPOCH_LOCK) || !(drop || drop_second)))
                return false;
            now |= on_second ? e2 : 0;
        }
        if (!drop) {
            shadow_set(second, e, node & SHADOW_NODE, atomic_load_explicit(&s->pc, RELAXED));
            flags = SHADOW_MORE | SHADOW_SETTLED | SHADOW_QUIET;
        }
    }
    shadow_set(s, now, my_node | flags, my_pc);
    return true;
}

/* The access comes in. The caller holds the word, whose epoch is e, and does not hold it any more afterwards. */
static inline __attribute__((always_inline)) void word_enter(struct race_g *g, struct shadow *s, uint64_t e, bias_word region, uintptr_t addr, uint64_t now,
                                                             uintptr_t pc)
{
    uint32_t node = atomic_load_explicit(&s->node, RELAXED);
    bool before = (e ^ now) >> SLOT_SHIFT == 0 || shadow_seen(g, e);
    if (race_likely(!(node & SHADOW_MORE) && (e == 0 || (shadow_subsumes(now, e) && before)))) {
        shadow_set(s, now, g->node->id, race_pc_pack(pc));
        bias_leave(bias_me);
        if (e == 0)
            shadow_mark(addr, region);
    } else if (before && word_change_easy(s, e, now, g->node->id, race_pc_pack(pc), true)) {
        bias_leave(bias_me);
    } else {
        word_change(g, s, e, addr, now, pc);
    }
}

/* An access through a null pointer faults, and never comes to be. (Nobody owns the region: who would, is found out the slow way only.) */
static inline bool is_null(uintptr_t addr)
{
    return addr >> BIAS_BITS == 0;
}

/* The region is not the caller's, or somebody has locked the word. */
static race_noinline void access_word_shared(struct race_g *g, struct shadow *s, bias_word region, uintptr_t addr, uint64_t now, uintptr_t pc)
{
    uint64_t e;
    if (is_null(addr))
        return;
    if (race_unlikely((region & BIAS_OWNER) != BIAS_SHARED || !shadow_try_lock(s, addr, region, &e)))
        e = shadow_hold(s, addr, &region);
    word_enter(g, s, e, region, addr, now, pc);
    if ((region & BIAS_OWNER) == BIAS_SHARED)
        bias_sample(bias_me, addr);
}

/* A plain read of a word that very many read: whether it came in without the word. */
static race_noinline bool reads_in_part(struct race_g *g, struct shadow *s, uint64_t now, uintptr_t pc)
{
    const struct shadow_list *l = shadow_list_of(atomic_load_explicit(&shadow_second(s)->epoch, memory_order_acquire));
    return l && list_has_part(l, bias_part()) && list_part_read(l, s, g, (struct race_side){now, g->node->id, race_pc_pack(pc)});
}

static inline __attribute__((always_inline)) void access_word(struct race_g *g, struct shadow *s, uintptr_t addr, uint64_t now, uintptr_t pc)
{
    uint64_t e = atomic_load_explicit(&s->epoch, RELAXED);
    if (shadow_stands_for(e, now))
        return;
    if (race_unlikely(atomic_load_explicit(&s->node, RELAXED) & SHADOW_MORE) && is_plain_read(now) && reads_in_part(g, s, now, pc))
        return;
    if (stands_behind(g, s, e, now))
        return;
    g->recorded = true;
    bias_word region;
    if (race_likely(bias_enter(bias_me, addr, &region))) {
        e = atomic_load_explicit(&s->epoch, RELAXED);
        if (race_likely(!(e & EPOCH_LOCK))) {
            word_enter(g, s, e, region, addr, now, pc);
            return;
        }
        bias_leave(bias_me);
    }
    access_word_shared(g, s, region, addr, now, pc);
}

static inline uint64_t now_of(const struct race_g *g, uint32_t mask, unsigned kind)
{
    return g->epoch | (uint64_t)mask << MASK_SHIFT | kind;
}

void race_access(struct race_g *g, uintptr_t addr, unsigned size, unsigned kind, uintptr_t pc)
{
    if (race_unlikely(race_is_off(g)))
        return;
    unsigned at = addr & 7;
    uint32_t mask = ((1u << size) - 1) << at;
    struct shadow *s = shadow_of(addr);
    if (race_unlikely(!s))
        return;
    access_word(g, s, addr, now_of(g, mask & 0xff, kind), pc);
    if (race_unlikely(at + size > 8) && (s = shadow_of(addr + 8 - at)) != NULL)
        access_word(g, s, addr + 8 - at, now_of(g, mask >> 8, kind), pc);
}

void race_access_odd(uintptr_t addr, uintptr_t pc, unsigned how)
{
    race_access(race_cur(), addr, how >> 8, how & 0xff, pc);
}

static race_noinline void access_new(uintptr_t addr, uintptr_t pc, uint64_t now)
{
    struct shadow *s = shadow_of(addr);
    if (race_likely(s != NULL))
        access_word(race_cur_tls, s, addr, now, pc);
}

/* What race_access_miss does, in a shared region: the word is locked. region: its word. */
static race_noinline void access_shared(uintptr_t addr, uintptr_t pc, uint64_t now, struct shadow *s, bias_word region)
{
    struct race_g *g = race_cur_tls;
    uint64_t e = atomic_load_explicit(&s->epoch, RELAXED);
    if (stands_behind(g, s, e, now))
        return;
    if (race_unlikely(!is_own(e, now) || shadow_stands_for(e, now)) ||
        race_unlikely(!atomic_compare_exchange_strong_explicit(&s->epoch, &e, shadow_lock(), memory_order_acquire, RELAXED))) {
        access_new(addr, pc, now);
        return;
    }
    if (race_unlikely(!bias_allows(addr, region))) {
        shadow_lock_back(s, e);
        access_new(addr, pc, now);
        return;
    }
    g->recorded = true;
    if (race_unlikely(!word_change_easy(s, e, now, g->node->id, race_pc_pack_near(pc), true)))
        word_change(g, s, e, addr, now, pc);
    bias_sample(bias_me, addr);
}

/* The caller can't change the word alone. */
static race_noinline void access_not_mine(uintptr_t addr, uintptr_t pc, uint64_t now, struct shadow *s, bias_word region)
{
    if ((region & BIAS_OWNER) == BIAS_SHARED && !is_null(addr))
        access_shared(addr, pc, now, s, region);
    else
        access_new(addr, pc, now);
}

/* Whether the goroutine has accessed the word in this epoch before in a way that stands for now, as its second word says at once. */
static inline bool is_done(struct shadow *s, uint64_t now)
{
    bool stands;
    if ((atomic_load_explicit(&s->epoch, RELAXED) ^ now) >> CLOCK_SHIFT != 0 || !(atomic_load_explicit(&s->node, RELAXED) & SHADOW_MORE))
        return false;
    uint64_t e = atomic_load_explicit(&shadow_second(s)->epoch, memory_order_acquire);
    const struct shadow_list *l = shadow_list_of(e);
    return l ? list_says(l, now, &stands) && stands : shadow_stands_for(e, now);
}

/* The goroutine accessed the word last, and more must be done than to replace that one entry. Mostly nothing, as it accesses other bytes of the word in turn,
 * or reads and writes it, again and again in one epoch; or it reads what it wrote in another epoch, and then writes it. */
static race_noinline void access_own(uintptr_t addr, uintptr_t pc, uint64_t now, struct shadow *s, struct race_g *g)
{
    bias_word region;
    if (is_done(s, now))   /* else no entry there stands for it, or it is in a list, and word_change_easy does nothing */
        return;
    if (race_unlikely(!bias_enter(bias_me, addr, &region))) {
        access_not_mine(addr, pc, now, s, region);
        return;
    }
    uint64_t e = atomic_load_explicit(&s->epoch, RELAXED);
    bool done = is_own(e, now) && !shadow_stands_for(e, now) && word_change_easy(s, e, now, g->node->id, race_pc_pack_near(pc), true);
    bias_leave(bias_me);
    if (race_unlikely(!done))
        access_new(addr, pc, now);
    else if (!g->recorded)
        g->recorded = true;
}

/* The goroutine reads what it wrote in an epoch before, or writes what it has just read so: the two halves of `x++` under a lock. What access_own would do,
 * where it is sure that nothing else is in the word. (Nobody else can leave the same epoch in a first word, so what was there before bias_enter is still
 * there. What it wrote in the present epoch stands for the read: an atomic's load comes here then.) */
static race_noinline void access_again(uintptr_t addr, uintptr_t pc, uint64_t now, struct shadow *s, struct race_g *g)
{
    enum { ALL = SHADOW_MORE | SHADOW_SETTLED | SHADOW_QUIET };
    uint32_t mine = g->node->id;
    bias_word region;
    uint64_t e = atomic_load_explicit(&s->epoch, RELAXED), node_pc = atomic_load_explicit(&s->node_pc, RELAXED);
    uint32_t flags = (uint32_t)node_pc & ~(uint32_t)SHADOW_NODE;
    struct shadow *second = shadow_second(s);
    bool writes = now & EPOCH_WRITE, simple;
    if (writes)
        simple = (e ^ now) == EPOCH_WRITE && flags == (uint32_t)ALL && ((atomic_load_explicit(&second->epoch, RELAXED) ^ now) & ~EPOCH_CLOCK) == 0;
    else
        simple = ((e ^ now) & ~EPOCH_CLOCK) == EPOCH_WRITE && (e ^ now) != EPOCH_WRITE && flags == 0;
    if (!simple) {
        access_own(addr, pc, now, s, g);
        return;
    }
    if (race_unlikely(!bias_enter(bias_me, addr, &region))) {
        access_not_mine(addr, pc, now, s, region);
        return;
    }
    if (race_unlikely(atomic_load_explicit(&s->epoch, RELAXED) != e)) {
        bias_leave(bias_me);
        access_new(addr, pc, now);
        return;
    }
    if (!writes) {
        atomic_store_explicit(&second->node_pc, node_pc, RELAXED);
        atomic_store_explicit(&second->epoch, e, memory_order_release);
        mine |= (uint32_t)ALL;
    }
    shadow_set(s, now, mine, race_pc_pack_near(pc));
    bias_leave(bias_me);
    if (!g->recorded)
        g->recorded = true;
}

/* Not checked, or a signal has waited for this. (Its handler may have been the first to use the slice.) */
static race_noinline void access_off(uintptr_t addr, uintptr_t pc, uint64_t now)
{
    struct race_g *g = race_cur_tls;
    if (!race_hook_is_off(g))
        race_access_miss_within(addr, pc, g->epoch | (now & (((uint64_t)1 << CLOCK_SHIFT) - 1)), shadow_slice(addr));
}

/* Mostly the word is empty, or all that it remembers is an entry of the goroutine's own that the new one subsumes, or that entry differs in its epoch only and
 * nothing else there conflicts (what another goroutine wrote once, and this one reads again and again). That is done here, in as few instructions as can be
 * (a program that waits for memory waits for several words at once, as long as the processor sees that far ahead); whatever else there may be takes another
 * way with all arguments where they are, so that nothing is saved here. */
static inline __attribute__((always_inline)) void access_miss(uintptr_t addr, uintptr_t pc, uint64_t now, uintptr_t slice, bool in_hook)
{
    struct shadow *s = shadow_in(slice, addr);   /* perhaps nobody's, which can be read, and is empty */
    __builtin_prefetch((void *)addr);            /* the program will, after this hook: both misses at once */
    struct race_g *g = race_cur_tls;
    if (in_hook ? race_unlikely(g->disabled) : race_unlikely(race_is_off(g))) {
        if (in_hook)
            access_off(addr, pc, now);
        return;
    }
    struct bias_thread *me = bias_me;
    uint32_t flags = 0;
    bias_word region;
    uint64_t e = atomic_load_explicit(&s->epoch, RELAXED);
    if (race_unlikely((e != 0 && !is_own(e, now)) || !race_pc_is_near(pc))) {
        access_new(addr, pc, now);
        return;
    }
    if (e != 0) {
        flags = atomic_load_explicit(&s->node, RELAXED) & ~(uint32_t)SHADOW_NODE;
        if (flags ? ((e ^ now) & ~EPOCH_CLOCK) != 0 || !(flags & SHADOW_QUIET) : !shadow_subsumes(now, e)) {   /* else as in word_change_easy */
            if (((e ^ now) & ~EPOCH_CLOCK) == EPOCH_WRITE)
                access_again(addr, pc, now, s, g);
            else
                access_own(addr, pc, now, s, g);
            return;
        }
    }
    if (race_unlikely(!bias_enter(me, addr, &region))) {
        access_not_mine(addr, pc, now, s, region);
        return;
    }
    if (race_unlikely(atomic_load_explicit(&s->epoch, RELAXED) != e || (atomic_load_explicit(&s->node, RELAXED) & ~(uint32_t)SHADOW_NODE) != flags)) {
        bias_leave(me);
        access_new(addr, pc, now);
        return;
    }
    shadow_set(s, now, g->node->id | flags, race_pc_pack_near(pc));
    bias_leave(me);
    if (!g->recorded)
        g->recorded = true;
    if (e == 0)
        shadow_mark(addr, region);
}

void race_access_miss(uintptr_t addr, uintptr_t pc, uint64_t now, uintptr_t slice)
{
    access_miss(addr, pc, now, slice, true);
}

void race_access_miss_within(uintptr_t addr, uintptr_t pc, uint64_t now, uintptr_t slice)
{
    access_miss(addr, pc, now, slice, false);
}

static race_noinline void access_part_new(struct race_g *g, uintptr_t addr, uint64_t now, uintptr_t pc)
{
    struct shadow *s = shadow_of(addr);
    if (race_likely(s != NULL))
        access_word(g, s, addr, now, pc);
}

static inline __attribute__((always_inline)) void access_part(struct race_g *g, uintptr_t addr, unsigned size, unsigned kind, uintptr_t pc)
{
    uint64_t now = now_of(g, ((1u << size) - 1) << (addr & 7), kind);
    if (race_unlikely(addr >> 47 || !shadow_stands_for(atomic_load_explicit(&shadow_in(shadow_slice(addr), addr)->epoch, RELAXED), now)))
        access_part_new(g, addr, now, pc);
}

/* Parts of words at both ends, whole words between, slice by slice. */
static race_noinline void access_range(struct race_g *g, uintptr_t addr, size_t n, unsigned kind, uintptr_t pc)
{
    if (race_unlikely(race_is_off(g) || n == 0))
        return;
    unsigned at = addr & 7;
    if (at + n <= 8 && g == race_cur_tls && !(addr >> 47)) {
        uint64_t now = now_of(g, ((1u << n) - 1) << at, kind);
        uintptr_t slice = shadow_slice(addr);
        if (!shadow_stands_for(atomic_load_explicit(&shadow_in(slice, addr)->epoch, RELAXED), now))
            race_access_miss_within(addr, pc, now, slice);   /* the caller may be in the midst of something */
        return;
    }
    if (at || n < 8) {
        unsigned size = 8 - at < n ? 8 - at : (unsigned)n;
        access_part(g, addr, size, kind, pc);
        addr += size;
        n -= size;
    }
    uint64_t now = now_of(g, 0xff, kind), now_read = kind & EPOCH_ATOMIC ? now : now | EPOCH_WRITE;
    while (n >= 8) {
        struct shadow *s = shadow_of(addr);
        if (race_unlikely(!s))
            return;
        size_t in_slice = (1ul << SLICE_BITS) - (addr & ((1ul << SLICE_BITS) - 1));
        uintptr_t end = addr + (n < in_slice ? n & ~7ul : in_slice);
        n -= end - addr;
        for (; addr < end; addr += 8, s++) {
            uint64_t e = atomic_load_explicit(&s->epoch, RELAXED);
            if (race_unlikely(e != now && e != now_read))   /* as in race_access_sized */
                access_word(g, s, addr, now, pc);
        }
    }
    if (n > 0)
        access_part(g, addr, (unsigned)n, kind, pc);
}

/* Short ranges are mostly copies of a scalar, made in this epoch before. */
void race_access_range(struct race_g *g, uintptr_t addr, size_t n, unsigned kind, uintptr_t pc)
{
    if (race_unlikely(n > 8 || addr >> 47 || !race_access_stands(g, addr, (unsigned)n, kind)))
        access_range(g, addr, n, kind, pc);
}

/* Whether all that the word remembers is a single access that happened before, as far as can be said at once; e: its epoch. */
static inline bool is_settled_single(const struct race_g *g, struct shadow *s, uint64_t e)
{
    return !(atomic_load_explicit(&s->node, RELAXED) & SHADOW_MORE) && (e == 0 || epoch_slot(e) == g->slot || shadow_seen(g, e));
}

/* Frees words of one region from *s, the word of addr, on, as many as are easy. Where they end. */
static uintptr_t words_freed(struct race_g *g, struct shadow *s, uintptr_t addr, uintptr_t end, uint64_t node_pc)
{
    uint32_t node = (uint32_t)node_pc, pc = (uint32_t)(node_pc >> 32);
    bias_word region;
    if (bias_enter(bias_me, addr, &region)) {
        for (; addr < end; addr += 8, s++) {
            uint64_t e = atomic_load_explicit(&s->epoch, RELAXED);
            if (race_unlikely((e & EPOCH_LOCK) || !is_settled_single(g, s, e)))
                break;
            shadow_set(s, EPOCH_FREED, node, pc);
        }
        bias_leave(bias_me);
        return addr;
    }
    for (uint64_t e; addr < end && (region & BIAS_OWNER) == BIAS_SHARED && shadow_try_lock(s, addr, region, &e); addr += 8, s++) {
        if (!is_settled_single(g, s, e)) {
            shadow_lock_back(s, e);
            break;
        }
        shadow_set(s, EPOCH_FREED, node, pc);
    }
    return addr;
}

/* As any other word: first the write is judged. */
static race_noinline void word_freed(struct race_g *g, struct shadow *s, uintptr_t addr, uint64_t node_pc, uintptr_t pc)
{
    bias_word region;
    access_word(g, s, addr, g->epoch_of_write, pc);
    shadow_hold(s, addr, &region);
    if (atomic_load_explicit(&s->node, RELAXED) & SHADOW_MORE)
        shadow_drop_second(s);
    shadow_set(s, EPOCH_FREED, (uint32_t)node_pc, (uint32_t)(node_pc >> 32));
    bias_leave(bias_me);
}

/* What takes the place of all that is known happened before nothing: whoever comes later races with it. */
void race_access_freed(struct race_g *g, uintptr_t addr, size_t n, uintptr_t pc)
{
    if (race_unlikely(race_is_off(g)))
        return;
    uint64_t node_pc = g->node->id | (uint64_t)race_pc_pack(pc) << 32;
    g->recorded = true;
    for (uintptr_t end = addr + n, next; addr < end; addr = next) {
        next = (addr | ((1ul << BIAS_BITS) - 1)) + 1;
        next = next < end ? next : end;
        struct shadow *s = shadow_of(addr);
        if (race_unlikely(!s))
            return;
        for (uintptr_t a = addr; (a = words_freed(g, s + (a - addr) / 8, a, next, node_pc)) < next; a += 8)
            word_freed(g, s + (a - addr) / 8, a, node_pc, pc);
        shadow_mark_all(addr, next);
    }
}

void race_access_born(struct race_g *g, uintptr_t addr, size_t n, uintptr_t pc)
{
    if (race_unlikely(race_is_off(g) || race_memory_tight())) {
        shadow_clear(addr, n);
        return;
    }
    g->recorded = true;
    shadow_fill(addr, n, birth_of(g), g->node->id, race_pc_pack(pc));
}
