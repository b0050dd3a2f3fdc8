/* The check: does this access race with one before it? Hot path, nothing else. race_shadow.h says what a shadow word holds and when an entry may be
 * dropped; an access is a race with entry E if they share bytes, one writes, not both are atomic, and E did not happen before. */
#include "race_shadow.h"

#include <sched.h>

#include "race_alloc.h"

static struct shadow_list *list_of(const struct shadow *s)
{
    if (s->entry[1].pc != SHADOW_LIST || s->entry[1].node != 0)
        return NULL;
    return (struct shadow_list *)(uintptr_t)atomic_load_explicit(&s->entry[1].epoch, memory_order_relaxed);
}

static uint64_t word_lock(struct shadow *s)
{
    for (unsigned spins = 0;; spins++) {
        uint64_t e = atomic_load_explicit(&s->entry[0].epoch, memory_order_relaxed);
        if (!(e & EPOCH_LOCK) &&
            atomic_compare_exchange_weak_explicit(&s->entry[0].epoch, &e, e | EPOCH_LOCK, memory_order_acquire, memory_order_relaxed))
            return e;
        if (spins < 200)
            __builtin_ia32_pause();
        else
            sched_yield();
    }
}

enum verdict { KEEP, DROP, RACE };

static enum verdict judge(const struct race_g *g, uint64_t e, uint64_t now)
{
    bool overlap = epoch_mask(e) & epoch_mask(now);
    if (!overlap)
        return KEEP;
    bool before = race_before(g, e);
    if (!before && ((e | now) & EPOCH_WRITE) && !(e & now & EPOCH_ATOMIC))
        return RACE;
    bool covered = (epoch_mask(e) & ~epoch_mask(now)) == 0;
    bool conflicts = ((now & EPOCH_WRITE) || !(e & EPOCH_WRITE)) && (!(now & EPOCH_ATOMIC) || (e & EPOCH_ATOMIC));
    return before && covered && conflicts ? DROP : KEEP;
}

static struct shadow_list *list_add(struct shadow_list *l, struct race_side side)
{
    if (!l || l->n == l->cap) {
        uint32_t cap = l ? l->cap * 2 : 4;
        struct shadow_list *bigger = race_alloc(sizeof *bigger + cap * sizeof bigger->side[0]);
        bigger->cap = cap;
        for (uint32_t i = 0; l && i < l->n; i++)
            bigger->side[i] = l->side[i];
        bigger->n = l ? l->n : 0;
        if (l)
            race_free(l, sizeof *l + l->cap * sizeof l->side[0]);
        l = bigger;
    }
    l->side[l->n++] = side;
    return l;
}

/* Entries that race with one access: a few at first, as many as there are. */
struct raced {
    uint32_t n, cap;
    struct race_side *side, few[4];
};

static void raced_add(struct raced *r, struct race_side side)
{
    if (r->n == r->cap) {
        struct race_side *more = race_alloc(2 * r->cap * sizeof *more);
        for (uint32_t i = 0; i < r->n; i++)
            more[i] = r->side[i];
        if (r->side != r->few)
            race_free(r->side, r->cap * sizeof *more);
        r->side = more;
        r->cap *= 2;
    }
    r->side[r->n++] = side;
}

/* After the word is unlocked: a report takes its time. */
static race_noinline void raced_report(struct race_g *g, uintptr_t word, struct raced *r, struct race_side me)
{
    for (uint32_t i = 0; i < r->n; i++)
        race_report(g, word, r->side[i], me);
    if (r->side != r->few)
        race_free(r->side, r->cap * sizeof *r->side);
}

/* The long way, one word: all entries are judged, what is subsumed goes, the access comes in. */
static race_noinline void access_slow(struct race_g *g, struct shadow *s, uintptr_t addr, uint64_t now, uintptr_t pc)
{
    struct race_side me = {now, g->node->id, race_pc_pack(pc)};
    struct raced raced;
    raced.n = 0;
    raced.cap = 4;
    raced.side = raced.few;
    uint64_t first = word_lock(s);
    struct shadow_list *l = list_of(s);
    struct race_side kept[2];
    unsigned n = 0;
    /* The two in the word. */
    uint64_t e[2] = {first, l ? 0 : atomic_load_explicit(&s->entry[1].epoch, memory_order_relaxed)};
    for (int i = 0; i < 2; i++) {
        if (e[i] == 0)
            continue;
        struct race_side side = {e[i], s->entry[i].node, s->entry[i].pc};
        enum verdict v = judge(g, e[i], now);
        if (v == RACE)
            raced_add(&raced, side);   /* and stays: who comes after this access need not come after that one */
        if (v != DROP)
            kept[n++] = side;
    }
    for (uint32_t i = 0; l && i < l->n;) {
        enum verdict v = judge(g, l->side[i].epoch, now);
        if (v == RACE)
            raced_add(&raced, l->side[i]);
        if (v == DROP)
            l->side[i] = l->side[--l->n];
        else
            i++;
    }
    if (l && l->n == 0) {
        race_free(l, sizeof *l + l->cap * sizeof l->side[0]);
        l = NULL;
    }
    /* Back: the newest in front, where the fast path looks. */
    if (n == 2 || (n == 1 && l)) {
        for (unsigned i = 0; i < n; i++)
            l = list_add(l, kept[i]);
        n = 0;
    }
    if (l) {
        s->entry[1].node = 0;
        s->entry[1].pc = SHADOW_LIST;
        atomic_store_explicit(&s->entry[1].epoch, (uintptr_t)l, memory_order_relaxed);
    } else if (n == 1) {
        s->entry[1].node = kept[0].node;
        s->entry[1].pc = kept[0].pc;
        atomic_store_explicit(&s->entry[1].epoch, kept[0].epoch, memory_order_relaxed);
    } else {
        s->entry[1].node = s->entry[1].pc = 0;
        atomic_store_explicit(&s->entry[1].epoch, 0, memory_order_relaxed);
    }
    s->entry[0].node = me.node;
    s->entry[0].pc = me.pc;
    atomic_store_explicit(&s->entry[0].epoch, now, memory_order_release);   /* and unlocks */
    if (race_unlikely(raced.n != 0))
        raced_report(g, addr & ~7ul, &raced, me);
}

static inline __attribute__((always_inline)) void access_word(struct race_g *g, uintptr_t addr, uint32_t mask, unsigned kind, uintptr_t pc)
{
    struct shadow *s = shadow_of(addr);
    if (race_unlikely(s == NULL))
        return;
    uint64_t now = g->epoch | (uint64_t)mask << MASK_SHIFT | kind;
    uint64_t first = atomic_load_explicit(&s->entry[0].epoch, memory_order_relaxed);
    if (race_likely(first == now || (first == (now | EPOCH_WRITE) && !(kind & EPOCH_ATOMIC))))
        return;   /* done before, or a read after one's own write */
    uint64_t second = atomic_load_explicit(&s->entry[1].epoch, memory_order_relaxed);
    if (race_likely(second == now))
        return;
    access_slow(g, s, addr, now, pc);
}

void race_access(struct race_g *g, uintptr_t addr, unsigned size, unsigned kind, uintptr_t pc)
{
    if (race_unlikely(g == &race_ignored || g->disabled))
        return;
    unsigned at = addr & 7;
    uint32_t mask = ((1u << size) - 1) << at;
    access_word(g, addr, mask & 0xff, kind, pc);
    if (race_unlikely(at + size > 8))
        access_word(g, addr + 8 - at, mask >> 8, kind, pc);
}

void race_access_range(struct race_g *g, uintptr_t addr, size_t n, unsigned kind, uintptr_t pc)
{
    if (race_unlikely(g == &race_ignored || g->disabled))
        return;
    while (n > 0) {
        unsigned at = addr & 7, size = 8 - at < n ? 8 - at : (unsigned)n;
        access_word(g, addr, ((1u << size) - 1) << at, kind, pc);
        addr += size;
        n -= size;
    }
}
