/* The lock-order graph and the search for cycles. See race_order.h. All under one lock, taken only for what is new.
 *
 * An edge stays in the table once it is made; it is void while a lock at its end has begun another life since. Each edge keeps the locksets that
 * made it (`ways`), void likewise. Two steps of search: a plain one over the graph, breadth first, finds out whether the new place closes a
 * cycle at all; only then one with the conditions of race_order.h, deeper and deeper, so that the shortest is told. Both are bounded, for graphs of thousands
 * of locks in all orders: what is beyond the bound is not told. */
#include "race_order.h"

#include <string.h>

#include "race_alloc.h"
#include "race_die.h"
#include "race_report.h"
#include "race_shadow.h"
#include "race_spin.h"

enum { BUCKETS = 1 << 16, EDGES_MAX = 1 << 20, WAYS_MAX = 16, QUEUE = 4096, STEPS_MAX = 64, TRIES_MAX = 20000 };

struct order_edge {
    struct race_lock *from, *to;
    uint32_t from_gen, to_gen;
    struct order_edge *next_out, *next;   /* of `from`; in the hash bucket */
    struct lockset *ways[WAYS_MAX];
    uint32_t nways;
};

static atomic_flag order_lock;
static struct order_edge *buckets[BUCKETS];
static uint32_t nedges, mark;

static bool edge_is_valid(const struct order_edge *e)
{
    return e->from_gen == atomic_load_explicit(&e->from->gen, memory_order_relaxed) &&
           e->to_gen == atomic_load_explicit(&e->to->gen, memory_order_relaxed);
}

static bool way_is_valid(const struct lockset *s)
{
    const struct order_info *o = atomic_load_explicit(&s->order, memory_order_relaxed);
    return o && o->stamp == order_stamp(s);
}

static struct order_edge *edge_of(struct race_lock *from, struct race_lock *to)
{
    uint64_t h = ((uintptr_t)from ^ (uintptr_t)to * 31) * 0x9e3779b97f4a7c15u;
    struct order_edge **b = &buckets[h >> 48], *e = *b;
    while (e && (e->from != from || e->to != to))
        e = e->next;
    if (!e) {
        if (nedges == EDGES_MAX) {
            static bool said;   /* under order_lock */
            if (!said)
                race_warn("a million pairs of locks were held together", "the order of further pairs is not checked");
            said = true;
            return NULL;
        }
        nedges++;
        e = race_alloc(sizeof *e);
        e->from = from;
        e->to = to;
        e->next = *b;
        *b = e;
        e->next_out = from->out;
        from->out = e;
    } else if (edge_is_valid(e)) {
        return e;
    }
    e->nways = 0;
    e->from_gen = atomic_load_explicit(&from->gen, memory_order_relaxed);
    e->to_gen = atomic_load_explicit(&to->gen, memory_order_relaxed);
    return e;
}

static void add_way(struct order_edge *e, struct lockset *s)
{
    for (uint32_t i = 0; i < e->nways; i++) {
        if (e->ways[i] == s)
            return;
        if (!way_is_valid(e->ways[i]))
            e->ways[i--] = e->ways[--e->nways];
    }
    if (e->nways < WAYS_MAX)
        e->ways[e->nways++] = s;
}

/* ---- search ---- */

static bool reaches(struct race_lock *from, const struct race_lock *to)
{
    static struct race_lock *queue[QUEUE];
    uint32_t n = 0;
    mark++;
    from->mark = mark;
    queue[n++] = from;
    for (uint32_t i = 0, looked = 0; i < n; i++) {
        for (struct order_edge *e = queue[i]->out; e; e = e->next_out) {
            if (++looked > 16 * QUEUE)
                return false;
            if (e->to->mark == mark || !edge_is_valid(e))
                continue;
            if (e->to == to)
                return true;
            e->to->mark = mark;
            if (n < QUEUE)
                queue[n++] = e->to;
        }
    }
    return false;
}

static struct order_step steps[STEPS_MAX];
static int nsteps, tries;

/* Whether the lock's memory was written by a plain store, by whom `by` is, after by: an initializer. Another goroutine's store can't be placed in time. */
static bool begun_anew(const struct race_lock *l, uint64_t by)
{
    struct race_side w;
    return shadow_last_write(l->addr, &w) && epoch_slot(w.epoch) == epoch_slot(by) && epoch_clock(w.epoch) > epoch_clock(by);
}

/* Whether the steps so far and this one could be at their places at the same time. */
static bool fits(const struct order_step *step)
{
    for (int i = 0; i < nsteps; i++) {
        const struct order_step *other = &steps[i];
        if (epoch_slot(other->by) == epoch_slot(step->by) && other->user == step->user)
            return false;
        for (const struct lockset *a = other->wanted->parent; a->parent; a = a->parent)
            for (const struct lockset *b = step->wanted->parent; b->parent; b = b->parent)
                if (a->lock == b->lock && !(a->kind & b->kind & LOCK_READ))
                    return false;
    }
    return !begun_anew(step->held->lock, step->by) && !begun_anew(step->wanted->lock, step->by);
}

static const struct lockset *entry_of(const struct lockset *s, const struct race_lock *l)
{
    for (; s->parent; s = s->parent)
        if (s->lock == l)
            return s;
    return NULL;
}

/* From the last step's lock on to `goal`, which the first step holds, in at most `depth` more steps. */
static bool close_cycle(const struct race_lock *goal, int depth)
{
    const struct order_step *last = &steps[nsteps - 1];
    struct race_lock *at = last->wanted->lock;
    uint32_t last_kind = last->wanted->kind;
    for (struct order_edge *e = at->out; e && tries < TRIES_MAX; e = e->next_out) {
        bool closes = e->to == goal;
        if (!edge_is_valid(e) || (!closes && depth == 1) || nsteps == STEPS_MAX)
            continue;
        for (uint32_t i = 0; i < e->nways; i++) {
            struct lockset *w = e->ways[i];
            const struct lockset *held = entry_of(w->parent, at);
            struct order_info *o = atomic_load_explicit(&w->order, memory_order_relaxed);
            if (!held || !way_is_valid(w) || (last_kind & held->kind & LOCK_READ) || (closes && (w->kind & steps[0].held->kind & LOCK_READ)))
                continue;
            for (int k = 0; k < ORDER_KNOWN_BY; k++) {
                struct order_step step = {(struct lockset *)held, w, atomic_load_explicit(&o->by[k], memory_order_relaxed), o->user[k]};
                tries++;
                if (step.by == 0 || !fits(&step))
                    continue;
                steps[nsteps++] = step;
                if (closes || close_cycle(goal, depth - 1))
                    return true;
                nsteps--;
            }
        }
    }
    return false;
}

/* What g did at s closes a cycle with what others did: the shortest is in steps. */
static bool find_cycle(struct race_g *g, struct lockset *held, struct lockset *s)
{
    tries = 0;
    for (int depth = 1; depth < STEPS_MAX && tries < TRIES_MAX; depth = depth < 8 ? depth + 1 : depth * 2) {
        nsteps = 0;
        steps[nsteps++] = (struct order_step){held, s, g->epoch, g->who->first_clock};
        if (close_cycle(held->lock, depth))
            return true;
    }
    return false;
}

static bool is_foreign(const struct lockset *s)
{
    return atomic_load_explicit(&s->lock->foreign, memory_order_relaxed);
}

/* One more who was there; nothing if there is no place left. */
static void known_by(struct order_info *o, const struct race_g *g)
{
    for (int i = 0; i < ORDER_KNOWN_BY; i++) {
        uint64_t e = atomic_load_explicit(&o->by[i], memory_order_relaxed);
        if (e == 0) {
            o->user[i] = g->who->first_clock;
            atomic_store_explicit(&o->by[i], g->epoch, memory_order_relaxed);
            return;
        }
        if (epoch_slot(e) == g->slot && o->user[i] == g->who->first_clock)
            return;
    }
    atomic_store_explicit(&o->many, true, memory_order_relaxed);
}

race_noinline void race_order_add(struct race_g *g, struct lockset *s)
{
    if (is_foreign(s))
        return;
    for (struct lockset *h = s->parent; h->parent; h = h->parent)
        if (h->lock == s->lock)
            return;   /* has it already: does not wait */
    struct order_step found[STEPS_MAX];
    int nfound = 0;
    race_spin_lock(&order_lock);
    struct order_info *o = atomic_load_explicit(&s->order, memory_order_relaxed);
    if (!o) {
        o = race_alloc(sizeof *o);
        o->stamp = order_stamp(s);
        atomic_store_explicit(&s->order, o, memory_order_release);
    } else if (o->stamp != order_stamp(s)) {
        for (int i = 0; i < ORDER_KNOWN_BY; i++)
            atomic_store_explicit(&o->by[i], 0, memory_order_relaxed);
        atomic_store_explicit(&o->many, false, memory_order_relaxed);
        o->stamp = order_stamp(s);
    }
    known_by(o, g);
    for (struct lockset *h = s->parent; h->parent; h = h->parent) {
        struct order_edge *e = is_foreign(h) ? NULL : edge_of(h->lock, s->lock);
        if (!e)
            continue;
        add_way(e, s);
        if (nfound == 0 && reaches(s->lock, h->lock) && find_cycle(g, h, s)) {
            memcpy(found, steps, (size_t)nsteps * sizeof steps[0]);
            nfound = nsteps;
        }
    }
    race_spin_unlock(&order_lock);
    if (nfound > 0)
        race_report_cycle(g, found, nfound);
}
