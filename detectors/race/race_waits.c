/* Waiters by address. See race_waits.h.
 *
 * An object is known while somebody is inside. Whom a signal wakes is not known, only how many: `woken` of those inside will go on, the
 * others are parked. Where the count may err, it errs towards woken: a thread that leaves for another reason than a wake-up counts as one that
 * was parked, and a wake-up that somebody else took counts. Destroying is right as soon as all are woken, even if they have not left yet; so what
 * glibc counts, all those inside, would not do, but nobody is parked if glibc counts none: a thread may have been torn out of its wait.
 *
 * Objects are hashed by the page they lie in, so that the end of a block of memory is a look at its pages. */
#include "race_waits.h"

#include <pthread.h>
#include <semaphore.h>

#include "race_alloc.h"
#include "race_report.h"
#include "race_spin.h"

enum { BUCKETS = 1024, STRIPES = 64, PAGE_BITS = 12, PAGES_MANY = 1024 };

struct race_wait {
    struct race_wait *next;   /* the one that came before */
    struct object *object;
    struct race_side side;
};

struct object {
    struct object *next;
    uintptr_t addr;
    unsigned kind, inside, woken;
    struct race_wait *waits;
};

/* Locking key: buckets[i] and all that is reached from it: locks[i % STRIPES]. */
static struct object *buckets[BUCKETS];
static atomic_flag locks[STRIPES];
static atomic_uint nobjects;

static unsigned bucket_of(uintptr_t addr)
{
    return (unsigned)((addr >> PAGE_BITS) * 0x9e3779b97f4a7c15u >> 54);
}

static void lock(unsigned b)
{
    race_spin_lock(&locks[b % STRIPES]);
}

static void unlock(unsigned b)
{
    race_spin_unlock(&locks[b % STRIPES]);
}

static struct object *find_locked(unsigned b, uintptr_t addr)
{
    struct object *o = buckets[b];
    while (o && o->addr != addr)
        o = o->next;
    return o;
}

struct race_wait *race_wait_enter(struct race_g *g, const volatile void *addr, unsigned kind, uintptr_t pc)
{
    if (race_is_nobody(g))
        return NULL;
    struct race_wait *w = race_alloc(sizeof *w);
    w->side = (struct race_side){g->epoch, g->node->id, race_pc_pack(pc)};
    unsigned b = bucket_of((uintptr_t)addr);
    lock(b);
    struct object *o = find_locked(b, (uintptr_t)addr);
    if (!o) {
        o = race_alloc(sizeof *o);
        o->addr = (uintptr_t)addr;
        o->next = buckets[b];
        buckets[b] = o;
        atomic_fetch_add_explicit(&nobjects, 1, memory_order_relaxed);   /* who ends the object, or wakes, is ordered by the program, or all is lost */
    }
    o->kind = kind;
    o->inside++;
    w->object = o;
    w->next = o->waits;
    o->waits = w;
    unlock(b);
    return w;
}

void race_wait_leave(struct race_wait *w, bool woken)
{
    if (!w)
        return;
    struct object *o = w->object;
    unsigned b = bucket_of(o->addr);
    lock(b);
    struct race_wait **at = &o->waits;
    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
    o->inside--;
    if (o->woken > 0 && (woken || o->woken > o->inside))
        o->woken--;
    bool last = o->inside == 0;
    if (last) {
        struct object **p = &buckets[b];
        while (*p != o)
            p = &(*p)->next;
        *p = o->next;
        atomic_fetch_sub_explicit(&nobjects, 1, memory_order_relaxed);
    }
    unlock(b);
    race_free(w, sizeof *w);
    if (last)
        race_free(o, sizeof *o);
}

void race_wait_wakes(const volatile void *addr, bool all)
{
    /* A handler that interrupted the detector may not take its locks; that may leave a count too low, but a semaphore's own word is exact, and nothing
     * else may be woken from there. */
    if (atomic_load_explicit(&nobjects, memory_order_relaxed) == 0 || race_cur() == &race_ignored)
        return;
    unsigned b = bucket_of((uintptr_t)addr);
    lock(b);
    struct object *o = find_locked(b, (uintptr_t)addr);
    if (o)
        o->woken = all || o->woken == o->inside ? o->inside : o->woken + 1;
    unlock(b);
}

/* What glibc's own words say: its count of those inside is 0 if there is nobody; a semaphore that has permits keeps nobody waiting. On a stack that was left
 * they may be overwritten already. */
static bool may_be_parked(const struct object *o, bool has_words)
{
    enum { WAITERS_SHIFT = 3 };
    if (!has_words)
        return true;
    if (o->kind == LOCK_COND)
        return ((const volatile pthread_cond_t *)o->addr)->__data.__wrefs >> WAITERS_SHIFT > 0;
    if (o->kind == LOCK_SEM) {
        uint64_t word = *(const volatile uint64_t *)o->addr;   /* permits, then those who wait */
        return (uint32_t)word == 0 && word >> 32 > 0;
    }
    return true;
}

/* The next one in the bucket that ends with somebody parked in it; it is told once. */
static bool take_waited(unsigned b, uintptr_t from, uintptr_t to, bool has_words, uintptr_t *addr, unsigned *kind, struct race_side *side)
{
    bool found = false;
    lock(b);
    for (struct object *o = buckets[b]; o && !found; o = o->next) {
        if (o->addr < from || o->addr >= to || o->woken >= o->inside || !may_be_parked(o, has_words))
            continue;
        o->woken = o->inside;
        *addr = o->addr;
        *kind = o->kind;
        *side = o->waits->side;   /* who came last, as wake-ups go to those who came first */
        found = true;
    }
    unlock(b);
    return found;
}

static race_noinline void waits_gone(struct race_g *g, uintptr_t from, uintptr_t to, enum lock_end how, uintptr_t pc)
{
    static const enum lock_misuse ends[] = {
        [LOCK_DESTROYED] = MISUSE_DESTROY_WAITED, [LOCK_FREED] = MISUSE_FREE_WAITED, [LOCK_STACK_ENDED] = MISUSE_STACK_ENDED_WAITED,
    };
    uintptr_t addr, first = from >> PAGE_BITS, last = (to - 1) >> PAGE_BITS;
    bool all = last - first >= PAGES_MANY;
    unsigned kind, n = all ? BUCKETS : (unsigned)(last - first) + 1;
    struct race_side before, now = {g->epoch, g->node->id, pc ? race_pc_pack(pc) : 0};
    for (unsigned i = 0; i < n; i++)
        while (take_waited(all ? i : bucket_of((first + i) << PAGE_BITS), from, to, how != LOCK_STACK_ENDED, &addr, &kind, &before))
            race_report_misuse(g, ends[how], addr, kind, before, now);
}

void race_waits_gone(struct race_g *g, uintptr_t addr, size_t n, enum lock_end how, uintptr_t pc)
{
    if (race_likely(atomic_load_explicit(&nobjects, memory_order_relaxed) == 0) || race_is_nobody(g) || n == 0 || how == LOCK_INITIALIZED)
        return;
    waits_gone(g, addr, addr + n, how, pc);
}
