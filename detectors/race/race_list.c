/* Lists of accesses. See race_list.h.
 *
 * Most lists are short: pieces of two fields that share the word, written here and read there. So a list has room for three entries in itself. Up to FEW
 * entries are one segment, whatever they are; a longer list is sorted out into a segment for each kind.
 *
 * An access is judged against every entry of a segment that it may conflict with. In the others only a few are looked at, in turn, for what
 * it subsumes, and where none goes one for each IN_VAIN accesses: what is left too long costs room, not truth. Before a segment grows, it loses what a newer
 * entry of the same goroutine subsumes, which anybody can see; so it is bounded by the number of goroutines, not of accesses.
 *
 * At the bound of memory (race_alloc.h) a segment that is full does not grow: the new entry takes the place of the oldest one, in turn.
 *
 * Entries that an access raced with stay, as others may race with them. Past LONG entries they go when they are covered by the access: otherwise a
 * word that everybody writes without any order would cost each access as many comparisons as there are goroutines. */
#include "race_list.h"

#include <assert.h>

#include "race_alloc.h"
#include "race_sort.h"

enum { KINDS = 4, FEW = 16, IN_VAIN = 8, LONG = 256, FIRST_FEW = 3, FIRST_CAP = 8 };

struct segment {
    uint32_t n, cap;
    struct race_side *side;      /* set once more when it grows; the old array is retired */
    uint32_t cursor, oldest;     /* cursor: where list_judge looks next; oldest: which entry goes next at the bound */
};

/* Over the first entry of a retired array. Bit 0 of next (EPOCH_LOCK) is set: nobody who still looks there takes it for an entry. */
struct retired {
    uintptr_t next;
    uint32_t bytes;
};

/* What few lists need. Only the holder of the lock looks here. */
struct more {
    struct segment segment[KINDS];   /* but for the first one, which is the list's own; empty while the list is short */
    bool by_kind;
    struct retired *retired;
};

struct shadow_list {
    struct list_done done;
    struct segment first;   /* all entries of a short list, the plain reads of a long one */
    struct more *more;      /* NULL: the list is short, and no array is retired */
    struct race_side few[FIRST_FEW];
};
/* The memory of a list becomes a list's, where somebody may still look (race_alloc.c). */
static_assert(sizeof(struct shadow_list) == 96, "no array's size");

/* By kind: bit 0 atomic, bit 1 write. */
static unsigned kind_of(uint64_t e)
{
    return (e & (EPOCH_ATOMIC | EPOCH_WRITE)) >> 1;
}
enum { R = 1 << 0, AR = 1 << 1, W = 1 << 2, AW = 1 << 3 };
static const uint8_t may_conflict[KINDS] = {W | AW, W, R | AR | W | AW, R | W};
static const uint8_t may_subsume[KINDS] = {R | AR, AR, R | AR | W | AW, AR | AW};

static struct segment *segment_of(struct shadow_list *l, unsigned k)
{
    return k == 0 ? &l->first : &l->more->segment[k];
}

/* How many segments there are. */
static unsigned kinds_of(const struct shadow_list *l)
{
    return l->more && l->more->by_kind ? KINDS : 1;
}

static size_t bytes_of(const struct segment *s)
{
    return s->cap * sizeof(struct race_side);
}

struct shadow_list *list_new(void)
{
    struct shadow_list *l = race_alloc(sizeof *l);
    l->first.cap = FIRST_FEW;
    __atomic_store_n(&l->first.side, l->few, __ATOMIC_RELEASE);
    return l;
}

void list_free(struct shadow_list *l)
{
    for (unsigned k = 0; k < kinds_of(l); k++) {
        struct segment *s = segment_of(l, k);
        if (s->side != l->few)
            race_free(s->side, bytes_of(s));
    }
    for (struct retired *r = l->more ? l->more->retired : NULL, *next; r; r = next) {
        next = (struct retired *)(r->next & ~(uintptr_t)EPOCH_LOCK);
        race_free(r, r->bytes);
    }
    if (l->more)
        race_free(l->more, sizeof *l->more);
    race_free(l, sizeof *l);
}

uint32_t list_count(const struct shadow_list *l)
{
    uint32_t n = l->first.n;
    for (unsigned k = 1; k < kinds_of(l); k++)
        n += l->more->segment[k].n;
    return n;
}

/* Newest first within a goroutine. */
#define NEWEST_FIRST(side) (~(side).epoch)
RACE_SORT(sort, struct race_side, NEWEST_FIRST)

/* Whether a goroutine has two entries; for certain, if it says no. Where 100,000 have read the same word each has one, and sorting is for nothing. */
static bool may_repeat(const struct segment *s)
{
    enum { SLOTS = 1 << (64 - SLOT_SHIFT) };
    uint32_t bits = 64, i = 0;
    while (bits < SLOTS && bits / 16 < s->n)
        bits *= 2;
    uint64_t *seen = race_alloc(bits / 8);
    for (; i < s->n; i++) {
        uint32_t slot = epoch_slot(s->side[i].epoch) & (bits - 1);
        if (seen[slot / 64] >> slot % 64 & 1)
            break;
        seen[slot / 64] |= (uint64_t)1 << slot % 64;
    }
    race_free(seen, bits / 8);
    return i < s->n;
}

/* Drops what a newer entry of the same goroutine subsumes. */
static void compact(struct segment *s)
{
    if (!may_repeat(s))
        return;
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

static struct more *more_of(struct shadow_list *l)
{
    if (!l->more)
        l->more = race_alloc(sizeof *l->more);
    return l->more;
}

/* A larger array. */
static void grow(struct shadow_list *l, struct segment *s)
{
    uint32_t cap = s->cap < FIRST_CAP ? FIRST_CAP : s->cap * 2;
    struct race_side *bigger = race_alloc(cap * sizeof *bigger);
    for (uint32_t i = 0; i < s->n; i++)
        bigger[i] = s->side[i];
    if (s->side && s->side != l->few) {
        struct retired *r = (struct retired *)s->side;
        struct more *m = more_of(l);
        *r = (struct retired){(uintptr_t)m->retired | EPOCH_LOCK, (uint32_t)bytes_of(s)};
        m->retired = r;
    }
    __atomic_store_n(&s->side, bigger, __ATOMIC_RELEASE);
    s->cap = cap;
    s->oldest = 0;
}

static void append(struct segment *s, struct race_side side)
{
    s->side[s->n] = side;
    __atomic_store_n(&s->n, s->n + 1, __ATOMIC_RELEASE);
}

/* The list has got long. */
static void sort_out(struct shadow_list *l)
{
    struct segment *first = &l->first;
    uint32_t kept = 0;
    more_of(l)->by_kind = true;
    for (uint32_t i = 0; i < first->n; i++) {
        struct race_side e = first->side[i];
        unsigned k = kind_of(e.epoch);
        if (k == 0) {
            first->side[kept++] = e;
            continue;
        }
        struct segment *s = segment_of(l, k);
        if (s->n == s->cap)
            grow(l, s);
        append(s, e);
    }
    first->n = kept;
}

/* An entry takes the place of one that it subsumes or goes on from, of the same goroutine. */
static bool put_in_place(struct segment *s, struct race_side side)
{
    for (uint32_t i = s->n; i > 0; i--) {
        struct race_side *e = &s->side[i - 1];
        if ((e->epoch ^ side.epoch) >> SLOT_SHIFT != 0)
            continue;
        bool on = shadow_goes_on(*e, side);
        if (on || (epoch_clock(e->epoch) <= epoch_clock(side.epoch) && shadow_subsumes(side.epoch, e->epoch))) {
            side.epoch |= on ? e->epoch : 0;
            *e = side;
            return true;
        }
    }
    return false;
}

void list_add(struct shadow_list *l, struct race_side side)
{
    struct segment *s = segment_of(l, kinds_of(l) == 1 ? 0 : kind_of(side.epoch));
    if (s->n <= FEW && put_in_place(s, side)) {
        done_add(&l->done, side.epoch);
        return;
    }
    if (s->n == s->cap && s->n > 0 && race_memory_tight()) {
        done_clear(&l->done);
        done_add(&l->done, side.epoch);
        s->side[s->oldest++ % s->cap] = side;
        return;
    }
    if (s->n >= FEW && kinds_of(l) == 1) {
        sort_out(l);
        s = segment_of(l, kind_of(side.epoch));
    }
    if (s->n == s->cap) {
        if (s->n > FEW)
            compact(s);
        if (s->n >= s->cap / 2)
            grow(l, s);
    }
    done_add(&l->done, side.epoch);
    append(s, side);
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
    bool settled = true;
    unsigned kind = kind_of(now);
    for (unsigned k = 0; k < kinds_of(l); k++) {
        struct segment *s = segment_of(l, k);
        uint32_t look = s->n, i = 0, stay = UINT32_MAX;
        if (s->n > FEW && !(may_conflict[kind] & 1 << k)) {   /* and then the list is long */
            settled = false;
            if (!(may_subsume[kind] & 1 << k))
                continue;
            look = FEW;
            stay = s->n % IN_VAIN == 0;
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
                if (shadow_subsumes(now, e->epoch) && list_count(l) > LONG) {
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
        if (s->cursor != i)   /* many read one word: what does not change stays with all processors */
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
    const struct segment *s = &l->first;
    uint32_t n = __atomic_load_n(&s->n, __ATOMIC_ACQUIRE);   /* then the array is at least as long */
    if (n == 0)
        return false;
    const struct race_side *side = __atomic_load_n(&s->side, __ATOMIC_ACQUIRE);
    if (race_unlikely(!side || __atomic_load_n(&s->n, __ATOMIC_RELAXED) < n))
        return false;
    for (uint32_t i = n > FEW ? n - FEW : 0; i < n; i++)
        if (shadow_stands_for(__atomic_load_n(&side[i].epoch, __ATOMIC_RELAXED), now))
            return true;
    return false;
}
