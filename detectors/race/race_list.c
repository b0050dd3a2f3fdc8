/* Lists of accesses. See race_list.h.
 *
 * Most lists are short: pieces of two fields that share the word, written here and read there. So a list has room for three entries in itself. Up to FEW
 * entries are one segment, whatever they are; a longer list is sorted out into a segment for each kind.
 *
 * An access is judged against every entry of a segment that it may conflict with. In the others only a few are looked at, in turn, for what
 * it subsumes. Before a segment grows, it loses what a newer entry of the same goroutine subsumes, which anybody can see; so it is bounded by the number of
 * goroutines, not of accesses.
 *
 * Of a list with very many plain reads threads have parts (race_list_parts.h). Whoever holds the word for anything but a plain read closes them first.
 *
 * At the bound of memory (race_alloc.h) a segment that is full does not grow: the new entry takes the place of the oldest one, in turn.
 *
 * Entries that an access raced with stay, as others may race with them. Past LONG entries they go when they are covered by the access: otherwise a
 * word that everybody writes without any order would cost each access as many comparisons as there are goroutines. */
#include "race_list.h"

#include <assert.h>

#include "race_alloc.h"
#include "race_list_parts.h"

enum { KINDS = 4, LONG = 256, FIRST_FEW = 3, FIRST_CAP = 8 };

uint32_t list_crowded = 48;

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
    struct list_front front;
    struct segment first;   /* all entries of a short list, the plain reads of a long one */
    struct more *more;      /* NULL: the list is short, and no array is retired */
    struct race_side few[FIRST_FEW];
};
/* The memory of a list becomes a list's, where somebody may still look (race_alloc.c). */
static_assert(sizeof(struct shadow_list) == 104, "no array's size");

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

struct shadow_list *list_new(void)
{
    struct shadow_list *l = race_alloc(sizeof *l);
    l->first.cap = FIRST_FEW;
    __atomic_store_n(&l->first.side, l->few, __ATOMIC_RELEASE);
    return l;
}

static void close_parts(struct shadow_list *l, bool keep);

void list_free(struct shadow_list *l)
{
    if (race_unlikely(atomic_load_explicit(&l->front.parts, memory_order_relaxed)))
        close_parts(l, false);
    for (unsigned k = 0; k < kinds_of(l); k++) {
        struct segment *s = segment_of(l, k);
        if (s->side != l->few)
            race_free(s->side, segment_bytes(s));
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

static void done_add(struct list_front *d, uint64_t e)
{
    for (unsigned i = 0; !(e & EPOCH_ATOMIC) && i <= (e & EPOCH_WRITE ? 1u : 0u); i++) {
        uint64_t done = atomic_load_explicit(&d->plain[i], memory_order_relaxed), kind = i ? EPOCH_WRITE : 0;
        uint64_t bytes = (e ^ done) >> CLOCK_SHIFT == 0 ? done : 0;
        atomic_store_explicit(&d->plain[i], (e & ~(uint64_t)EPOCH_WRITE) | bytes | kind, memory_order_relaxed);
    }
}

/* An entry that it may tell of goes, and is to come in again. */
static void done_clear(struct list_front *d)
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
        *r = (struct retired){(uintptr_t)m->retired | EPOCH_LOCK, (uint32_t)segment_bytes(s)};
        m->retired = r;
    }
    __atomic_store_n(&s->side, bigger, __ATOMIC_RELEASE);
    s->cap = cap;
    s->oldest = 0;
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
        segment_append(s, e);
    }
    first->n = kept;
}

void list_add(struct shadow_list *l, struct race_side side)
{
    struct segment *s = segment_of(l, kinds_of(l) == 1 ? 0 : kind_of(side.epoch));
    if (s->n <= FEW && segment_put_in_place(s, side)) {
        done_add(&l->front, side.epoch);
        return;
    }
    if (s->n == s->cap && s->n > 0 && race_memory_tight()) {
        done_clear(&l->front);
        done_add(&l->front, side.epoch);
        s->side[s->oldest++ % s->cap] = side;
        return;
    }
    if (s->n >= FEW && kinds_of(l) == 1) {
        sort_out(l);
        s = segment_of(l, kind_of(side.epoch));
    }
    if (s->n == s->cap) {
        if (s->n > FEW)
            segment_compact(s);
        if (s->n >= s->cap / 2)
            grow(l, s);
    }
    done_add(&l->front, side.epoch);
    segment_append(s, side);
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

/* ---- parts ---- */

/* Closes all; what they have comes into the list, or goes. */
static race_noinline void close_parts(struct shadow_list *l, bool keep)
{
    uint16_t bits = atomic_load_explicit(&l->front.parts, memory_order_relaxed);
    for (unsigned k = 0; k < BIAS_PARTS; k++) {
        struct segment left;
        if (!(bits >> k & 1))
            continue;
        list_part_close(l, k, &left);
        for (uint32_t i = 0; keep && i < left.n; i++)
            list_add(l, left.side[i]);
        if (left.cap)
            race_free(left.side, segment_bytes(&left));
    }
    atomic_store_explicit(&l->front.parts, 0, memory_order_relaxed);
}

bool list_divide(struct shadow_list *l, const struct shadow *word)
{
    enum { TRY_EACH = 8 };
    uint64_t conflicts[PART_WRITES] = {0};
    uint16_t bits = atomic_load_explicit(&l->front.parts, memory_order_relaxed), mine = (uint16_t)(1u << bias_part());
    unsigned n = 0;
    if (l->first.n < list_crowded || l->first.n % TRY_EACH != 0 || kinds_of(l) == 1 || (bits & mine))
        return bits != 0;
    for (unsigned k = 1; k < KINDS; k++) {
        const struct segment *s = segment_of(l, k);
        for (uint32_t i = 0; may_conflict[0] & 1 << k && i < s->n; i++) {
            if (n == PART_WRITES)
                return bits != 0;
            conflicts[n++] = s->side[i].epoch;
        }
    }
    if (list_part_open(l, word, conflicts))
        atomic_store_explicit(&l->front.parts, bits | mine, memory_order_relaxed);
    return true;
}

bool list_judge(struct shadow_list *l, struct race_g *g, uint64_t now, struct raced *raced)
{
    unsigned kind = kind_of(now);
    bool settled = true;
    if (race_unlikely(atomic_load_explicit(&l->front.parts, memory_order_relaxed))) {
        settled = false;
        if (kind != 0)   /* a plain read has nothing to do with those in parts, and changes nothing that they rely on */
            close_parts(l, true);
    }
    for (unsigned k = 0; k < kinds_of(l); k++) {
        struct segment *s = segment_of(l, k);
        if (s->n > FEW && !(may_conflict[kind] & 1 << k)) {   /* and then the list is long */
            settled = false;
            if (may_subsume[kind] & 1 << k)
                segment_subsume(s, g, now);
            continue;
        }
        for (uint32_t i = 0; i < s->n;) {
            struct race_side *e = &s->side[i];
            bool before;
            enum verdict v = shadow_judge(g, e->epoch, now, &before);
            if (v == RACE) {
                raced_add(raced, *e);
                if (shadow_subsumes(now, e->epoch) && list_count(l) > LONG) {
                    v = DROP;
                    done_clear(&l->front);
                }
            }
            if (v == DROP) {
                *e = s->side[--s->n];
            } else {
                settled &= before;
                i++;
            }
        }
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
    return segment_stands_for(side, n, now);
}
