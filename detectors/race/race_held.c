/* Counts by address, of a long lockset. See race_held.h. */
#include "race_held.h"

#include "race_alloc.h"

enum { SHORT = 24, CAP_MIN = 128 };

struct count {
    uintptr_t addr;
    int32_t n;
};

struct race_held {
    const struct lockset *of;
    uint32_t cap, used;   /* places: a power of two; with an address, be its count 0 */
    struct count at[];
};

static size_t bytes_of(uint32_t cap)
{
    return sizeof(struct race_held) + cap * sizeof(struct count);
}

/* For so many addresses, less than half full. */
static struct race_held *table_new(uint32_t addrs)
{
    uint32_t cap = CAP_MIN;
    while (cap < 2 * addrs)
        cap *= 2;
    struct race_held *t = race_alloc(bytes_of(cap));
    t->cap = cap;
    return t;
}

static struct count *count_of(struct race_held *t, uintptr_t addr)
{
    uint32_t i = (uint32_t)(addr * 0x9e3779b97f4a7c15u >> 32) & (t->cap - 1);
    while (t->at[i].addr && t->at[i].addr != addr)
        i = (i + 1) & (t->cap - 1);
    return &t->at[i];
}

static void add(struct race_held *t, uintptr_t addr, int32_t n)
{
    struct count *c = count_of(t, addr);
    t->used += c->addr == 0;
    c->addr = addr;
    c->n += n;
}

static uint32_t length_of(const struct lockset *s)
{
    return s->live + 2 * s->gone;
}

/* What the entry means for its lock. */
static int32_t sign_of(const struct lockset *s)
{
    return s->kind & LOCK_GONE ? -1 : 1;
}

static struct race_held *table_of(const struct lockset *s)
{
    struct race_held *t = table_new(2 * length_of(s));
    t->of = s;
    for (; s->parent; s = s->parent)
        add(t, s->lock->addr, sign_of(s));
    return t;
}

/* Brings t, of another set, up to s. False: there is not the room for it. */
static bool follow(struct race_held *t, const struct lockset *s)
{
    const struct lockset *was = t->of;
    t->of = s;
    while (was != s) {
        if (t->used > t->cap / 4 * 3)
            return false;
        if (length_of(was) >= length_of(s)) {
            add(t, was->lock->addr, -sign_of(was));
            was = was->parent;
        } else {
            add(t, s->lock->addr, sign_of(s));
            s = s->parent;
        }
    }
    return true;
}

uint32_t race_times_held(struct race_g *g, uintptr_t addr)
{
    struct lockset *s = g->locks;
    if (length_of(s) <= SHORT) {
        int32_t n = 0;
        for (; s->parent; s = s->parent)
            n += s->lock->addr == addr ? sign_of(s) : 0;
        return (uint32_t)n;
    }
    if (!g->held || !follow(g->held, s)) {
        race_held_forget(g);
        g->held = table_of(s);
    }
    return (uint32_t)count_of(g->held, addr)->n;
}

void race_held_forget(struct race_g *g)
{
    if (g->held)
        race_free(g->held, bytes_of(g->held->cap));
    g->held = NULL;
}

struct lockset **lockset_held(struct lockset *s)
{
    struct lockset **held = race_alloc_dirty(s->live * sizeof(struct lockset *));
    struct race_held *gone = s->gone ? table_new(s->gone) : NULL;
    uint32_t n = 0;
    for (struct lockset *h = s; h->parent; h = h->parent) {
        if (h->kind & LOCK_GONE)
            add(gone, h->lock->addr, 1);
        else if (gone && count_of(gone, h->lock->addr)->n > 0)
            add(gone, h->lock->addr, -1);
        else
            held[n++] = h;
    }
    if (gone)
        race_free(gone, bytes_of(gone->cap));
    return held;
}
