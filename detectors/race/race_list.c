/* Lists of accesses. See race_list.h.
 *
 * An access is judged against every entry of a segment that it may conflict with. In the others only a few are looked at, in turn, for what
 * it subsumes, fewer yet where none goes: what is left too long costs room, not truth. Before a segment grows, it loses what a newer entry of the
 * same goroutine subsumes, which anybody can see; so it is bounded by the number of goroutines, not of accesses.
 *
 * At the bound of memory (race_alloc.h) a segment that is full does not grow: the new entry takes the place of the oldest one, in turn.
 *
 * Entries that an access raced with stay, as others may race with them. Past LONG entries they go when they are covered by the access: otherwise a
 * word that everybody writes without any order would cost each access as many comparisons as there are goroutines. */
#include "race_list.h"

#include <assert.h>

#include "race_alloc.h"
#include "race_sort.h"

enum { KINDS = 4, FEW = 16, IN_VAIN = 2, LONG = 256, FIRST_CAP = 4 };

struct segment {
    uint32_t n, cap, cursor, oldest;   /* cursor: where list_judge looks next; oldest: which entry goes next at the bound */
    struct race_side *side;   /* set once more when it grows; the old array is retired */
};

/* Over the first entry of a retired array. Bit 0 of next (EPOCH_LOCK) is set: nobody who still looks there takes it for an entry. */
struct retired {
    uintptr_t next;
    uint32_t bytes;
};

struct shadow_list {
    struct list_done done;
    struct segment segment[KINDS];
    struct retired *retired;
    uint64_t pad[2];   /* a size that the arrays don't have (race_alloc.c): the memory of a list becomes a list's, where somebody may still look */
};
static_assert((sizeof(struct shadow_list) + 15) / 16 * 16 == 144, "no array's size");

/* By kind: bit 0 atomic, bit 1 write. */
static unsigned kind_of(uint64_t e)
{
    return (e & (EPOCH_ATOMIC | EPOCH_WRITE)) >> 1;
}
enum { R = 1 << 0, AR = 1 << 1, W = 1 << 2, AW = 1 << 3 };
static const uint8_t may_conflict[KINDS] = {W | AW, W, R | AR | W | AW, R | W};
static const uint8_t may_subsume[KINDS] = {R | AR, AR, R | AR | W | AW, AR | AW};

struct shadow_list *list_new(void)
{
    return race_alloc(sizeof(struct shadow_list));
}

void list_free(struct shadow_list *l)
{
    for (unsigned k = 0; k < KINDS; k++)
        race_free(l->segment[k].side, l->segment[k].cap * sizeof(struct race_side));
    for (struct retired *r = l->retired, *next; r; r = next) {
        next = (struct retired *)(r->next & ~(uintptr_t)EPOCH_LOCK);
        race_free(r, r->bytes);
    }
    race_free(l, sizeof *l);
}

uint32_t list_count(const struct shadow_list *l)
{
    uint32_t n = 0;
    for (unsigned k = 0; k < KINDS; k++)
        n += l->segment[k].n;
    return n;
}

/* Newest first within a goroutine. */
#define NEWEST_FIRST(side) (~(side).epoch)
RACE_SORT(sort, struct race_side, NEWEST_FIRST)

/* Drops what a newer entry of the same goroutine subsumes. */
static void compact(struct segment *s)
{
    uint32_t kept = 0, run = 0;
    sort(s->side, s->n);
    for (uint32_t i = 0; i < s->n; i++) {
        struct race_side e = s->side[i];
        if (kept == 0 || epoch_slot(s->side[kept - 1].epoch) != epoch_slot(e.epoch))
            run = kept;
        bool subsumed = false;
        for (uint32_t k = run; k < kept && !subsumed; k++)
            subsumed = shadow_subsumes(s->side[k].epoch, e.epoch);
        if (!subsumed)
            s->side[kept++] = e;
    }
    s->n = kept;
}

static void done_add(struct list_done *d, uint64_t e)
{
    for (unsigned i = 0; !(e & EPOCH_ATOMIC) && i <= (e & EPOCH_WRITE ? 1u : 0u); i++) {
        uint64_t done = atomic_load_explicit(&d->plain[i], memory_order_relaxed), kind = i ? EPOCH_WRITE : 0;
        uint64_t bytes = (e ^ done) >> CLOCK_SHIFT == 0 ? done : 0;
        atomic_store_explicit(&d->plain[i], (e & ~(uint64_t)EPOCH_WRITE) | bytes | kind, memory_order_relaxed);
    }
}

/* An entry that it may tell of goes, and is to come in again. */
static void done_clear(struct list_done *d)
{
    for (unsigned i = 0; i < 2; i++)
        atomic_store_explicit(&d->plain[i], 0, memory_order_relaxed);
}

void list_add(struct shadow_list *l, struct race_side side)
{
    struct segment *s = &l->segment[kind_of(side.epoch)];
    if (s->n == s->cap) {
        if (s->cap > 0 && race_memory_tight()) {
            done_clear(&l->done);
            done_add(&l->done, side.epoch);
            s->side[s->oldest++ % s->cap] = side;
            return;
        }
        if (s->n > FEW)
            compact(s);
        if (s->n >= s->cap / 2) {
            s->oldest = 0;
            uint32_t cap = s->cap ? s->cap * 2 : FIRST_CAP;
            struct race_side *bigger = race_alloc(cap * sizeof *bigger);
            for (uint32_t i = 0; i < s->n; i++)
                bigger[i] = s->side[i];
            if (s->side) {
                struct retired *r = (struct retired *)s->side;
                *r = (struct retired){(uintptr_t)l->retired | EPOCH_LOCK, s->cap * (uint32_t)sizeof *bigger};
                l->retired = r;
            }
            __atomic_store_n(&s->side, bigger, __ATOMIC_RELEASE);
            s->cap = cap;
        }
    }
    done_add(&l->done, side.epoch);
    s->side[s->n] = side;
    __atomic_store_n(&s->n, s->n + 1, __ATOMIC_RELEASE);
}

void raced_add(struct raced *r, struct race_side side)
{
    uint32_t cap = r->cap ? r->cap : RACED_FEW;
    struct race_side *all = r->cap ? r->more : r->few;
    if (r->n == cap) {
        struct race_side *more = race_alloc(2 * cap * sizeof *more);
        for (uint32_t i = 0; i < r->n; i++)
            more[i] = all[i];
        if (r->cap)
            race_free(r->more, cap * sizeof *more);
        r->more = all = more;
        r->cap = 2 * cap;
    }
    all[r->n++] = side;
}

bool list_judge(struct shadow_list *l, struct race_g *g, uint64_t now, struct raced *raced)
{
    bool settled = true, is_long = list_count(l) > LONG;
    unsigned kind = kind_of(now);
    for (unsigned k = 0; k < KINDS; k++) {
        struct segment *s = &l->segment[k];
        uint32_t look = s->n, i = 0, stay = UINT32_MAX;
        if (!(may_conflict[kind] & 1 << k) && s->n > FEW) {
            settled = false;
            if (!(may_subsume[kind] & 1 << k))
                continue;
            look = FEW;
            stay = IN_VAIN;
            i = s->cursor;
        }
        for (; look > 0 && stay > 0 && s->n > 0; look--) {
            if (i >= s->n)
                i = 0;
            struct race_side *e = &s->side[i];
            bool before;
            enum verdict v = shadow_judge(g, e->epoch, now, &before);
            if (v == RACE) {
                raced_add(raced, *e);
                if (is_long && shadow_subsumes(now, e->epoch)) {
                    v = DROP;
                    done_clear(&l->done);
                }
            }
            if (v == DROP) {
                *e = s->side[--s->n];
            } else {
                settled &= before;
                i++;
                stay--;
            }
        }
        s->cursor = i;
    }
    return settled;
}

/* An own entry of the present epoch is true for good (race_access.c), wherever it is found: moved or dropped meanwhile, in an array retired meanwhile. Somebody
 * may free the list meanwhile, against all rules, and another one begin in its memory: then n and side may not fit together. */
bool list_stands_for(const struct shadow_list *l, uint64_t now)
{
    bool stands;
    if (list_says(l, now, &stands))
        return stands;
    for (unsigned k = 0; k < KINDS; k++) {
        const struct segment *s = &l->segment[k];
        uint32_t n = __atomic_load_n(&s->n, __ATOMIC_ACQUIRE);   /* then the array is at least as long */
        if (n == 0 || !(may_subsume[k] & 1 << kind_of(now)))
            continue;
        const struct race_side *side = __atomic_load_n(&s->side, __ATOMIC_ACQUIRE);
        if (race_unlikely(!side || __atomic_load_n(&s->n, __ATOMIC_RELAXED) < n))
            continue;
        for (uint32_t i = n > FEW ? n - FEW : 0; i < n; i++)
            if (shadow_stands_for(__atomic_load_n(&side[i].epoch, __ATOMIC_RELAXED), now))
                return true;
    }
    return false;
}
