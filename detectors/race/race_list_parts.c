/* See race_list_parts.h.
 *
 * A part is a slot of a table, by thread and list, and never freed; a slot that is another list's is not to be had. Its lock guards all that it has and is
 * hardly ever another thread's. A list has a bit for each part that is open (race_list.h). Invariants:
 * - A part's `list` and `word` are set, by who holds the word, before the list's bit, and the bit goes after them. So whoever holds the word finds all
 *   parts by the bits. For a reader, who holds nothing, a bit is a hint: he locks the part and finds his list and word there, or else holds the word.
 * - While a part is open, `conflicts` is all that a plain read of the word conflicts with: nothing comes into the word, its second word and its list but
 *   plain reads, as whoever would put in something else closes all parts first.
 * - The first word of a word with open parts is a plain read, which is not called settled (race_shadow.h): what is in the parts may be unordered with it.
 *
 * So a read R and a write W that nothing orders always meet. Either R's part was locked for R first: then W, who closes it, finds R there. Or W closed it
 * first: then R finds it closed, or open again with W, or what is left of it, among its conflicts. tests/spin/list_parts.pml is a model of this.
 *
 * Locks: a part's is taken with a word held, never the other way round; who has it waits for nothing but memory. */
#include "race_list_parts.h"

#include "race_alloc.h"
#include "race_spin.h"

enum { SLOTS_BITS = 8, FIRST_ROOM = 64 };

struct part {
    atomic_flag lock;
    const struct shadow_list *list;   /* NULL: it is closed */
    const struct shadow *word;
    uint64_t conflicts[PART_WRITES];  /* 0: none */
    struct segment reads;
} __attribute__((aligned(64)));

static struct part parts[BIAS_PARTS][1 << SLOTS_BITS];

static struct part *part_of(const struct shadow_list *l, unsigned number)
{
    return &parts[number][(uintptr_t)l * 0x9e3779b97f4a7c15u >> (64 - SLOTS_BITS)];
}

static void grow(struct segment *s)
{
    struct segment bigger = {.n = s->n, .cap = s->cap ? s->cap * 2 : FIRST_ROOM};
    bigger.side = race_alloc_dirty(segment_bytes(&bigger));
    for (uint32_t i = 0; i < s->n; i++)
        bigger.side[i] = s->side[i];
    if (s->cap)
        race_free(s->side, segment_bytes(s));
    *s = bigger;
}

/* At the bound of memory the oldest entry makes room, as in lists. False: there is none. */
static bool enters(struct segment *s, struct race_side side)
{
    if (s->n == s->cap && race_memory_tight()) {
        if (s->cap == 0)
            return false;
        s->side[s->oldest++ % s->cap] = side;
        return true;
    }
    if (s->n == s->cap) {
        if (s->n > FEW)
            segment_compact(s);
        if (s->n >= s->cap / 2)
            grow(s);
    }
    segment_append(s, side);
    return true;
}

/* The part is the reader's. */
static bool comes_in(struct part *p, struct race_g *g, struct race_side side)
{
    uint64_t now = side.epoch;
    bool before;
    if (segment_stands_for(p->reads.side, p->reads.n, now))
        return true;
    for (unsigned i = 0; i < PART_WRITES; i++)
        if (p->conflicts[i] && shadow_judge(g, p->conflicts[i], now, &before) == RACE)
            return false;
    segment_subsume(&p->reads, g, now);
    struct race_side *last = p->reads.n > 0 ? &p->reads.side[p->reads.n - 1] : NULL;
    if (last && shadow_goes_on(*last, side)) {
        last->epoch |= now;
        return true;
    }
    if (p->reads.n <= FEW && segment_put_in_place(&p->reads, side))
        return true;
    return enters(&p->reads, side);
}

bool list_part_read(const struct shadow_list *l, const struct shadow *word, struct race_g *g, struct race_side side)
{
    struct part *p = part_of(l, bias_part());
    race_spin_lock(&p->lock);
    bool in = p->list == l && p->word == word && comes_in(p, g, side);
    race_spin_unlock(&p->lock);
    if (in)
        g->recorded = true;
    return in;
}

bool list_part_open(const struct shadow_list *l, const struct shadow *word, const uint64_t conflicts[PART_WRITES])
{
    struct part *p = part_of(l, bias_part());
    race_spin_lock(&p->lock);
    bool is_free = p->list == NULL;
    if (is_free) {
        p->list = l;
        p->word = word;
        for (unsigned i = 0; i < PART_WRITES; i++)
            p->conflicts[i] = conflicts[i];
        p->reads = (struct segment){0};
    }
    race_spin_unlock(&p->lock);
    return is_free;
}

void list_part_close(const struct shadow_list *l, unsigned number, struct segment *left)
{
    struct part *p = part_of(l, number);
    race_spin_lock(&p->lock);
    *left = p->reads;
    p->reads = (struct segment){0};
    p->list = NULL;
    race_spin_unlock(&p->lock);
}
