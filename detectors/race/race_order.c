/* The lock order: what is entered into the graph, and the search for cycles. See race_order.h. All under one lock, taken only for what is new.
 *
 * A set is entered once in the life of its locks. Invariant: from each lock of an entered set the graph leads to the lock that the set takes, over
 * locks of the set's list alone, as long as none of them has ended. So a set needs one edge, from the lock that was taken last before, if that one's
 * own set is entered: then the graph leads there from all others. (Where it is not, by try_lock, or because another lock was given back in between, a
 * further lock gets an edge, and so on until the set is entered of one.) A thousand locks that are held together make a thousand edges, not half
 * a million.
 *
 * A set that closes no cycle costs that edge. If it may (order_may_cycle), sets are searched, not edges, for a cycle with the conditions of
 * race_order.h: those that take what the new set holds, then those that take what these hold, until one holds what the new one takes; deeper and
 * deeper, so that the shortest is told. Each lock has the list of the sets that take it. Which of a set's locks can be part of it is known by the same
 * argument: if the graph does not lead back to one lock of an entered set, then to none of those before.
 *
 * The search is bounded, for thousands of locks in all orders: each new set may look at EACH locks of sets, and at what former ones have left of
 * that, up to SAVED in all. What is beyond is not told. */
#include "race_order.h"

#include <string.h>

#include "race_alloc.h"
#include "race_die.h"
#include "race_held.h"
#include "race_order_graph.h"
#include "race_report.h"
#include "race_shadow.h"
#include "race_spin.h"

enum { STEPS_MAX = 64, EACH = 1 << 16, SAVED = 1 << 22 };

_Atomic(uint32_t) race_order_lives = 1;
static atomic_flag order_lock;

static struct order_node *node_of(struct race_lock *l)
{
    if (!l->order) {
        l->order = race_alloc(sizeof *l->order);
        order_node_init(l->order);
    }
    return l->order;
}

static struct order_info *info_of(const struct lockset *s)
{
    return atomic_load_explicit(&s->order, memory_order_relaxed);
}

/* Whether it was entered in this life of its locks. */
static bool is_valid(struct lockset *s)
{
    const struct order_info *o = info_of(s);
    return o && atomic_load_explicit(&o->stamp, memory_order_relaxed) == order_stamp(s);
}

static bool is_foreign(const struct lockset *s)
{
    return atomic_load_explicit(&s->lock->foreign, memory_order_relaxed);
}

/* The graph leads from all that s holds to the lock that it takes. */
static bool is_entered(struct lockset *s)
{
    return is_valid(s) && !info_of(s)->lacking;
}

/* Over what is held in a set, latest first: begin_walk, then what is_held is true of, for each entry. Not one inside another. */
static uint32_t walk;

static void begin_walk(void)
{
    walk++;
}

static bool is_held(const struct lockset *h)
{
    struct race_lock *l = h->lock;
    if (h->kind & LOCK_GONE) {
        l->gone = l->gone_mark == walk ? l->gone + 1 : 1;
        l->gone_mark = walk;
        return false;
    }
    if (l->gone_mark != walk || l->gone == 0)
        return true;
    l->gone--;
    return false;
}

/* ---- entering ---- */

static void enter_edges(struct lockset *s, struct order_info *o)
{
    o->lacking = false;
    begin_walk();
    for (struct lockset *h = s->parent; h->parent; h = h->parent) {
        if (!is_held(h) || is_foreign(h))
            continue;
        if (!order_edge_add(node_of(h->lock), node_of(s->lock))) {
            static bool said;   /* under order_lock */
            if (!said)
                race_warn("a million pairs of locks were held together", "the order of further pairs is not checked");
            said = true;
            o->lacking = true;
            return;
        }
        if (is_entered(h))
            return;
    }
}

static void enter(struct lockset *s, struct order_info *o)
{
    struct order_node *n = node_of(s->lock);
    for (int i = 0; i < ORDER_KNOWN_BY; i++)
        atomic_store_explicit(&o->by[i], 0, memory_order_relaxed);
    atomic_store_explicit(&o->many, false, memory_order_relaxed);
    enter_edges(s, o);
    if (!o->listed) {
        o->listed = true;
        o->next_taken = NULL;
        *n->taken_end = o;
        n->taken_end = &o->next_taken;
    }
    atomic_store_explicit(&o->stamp, order_stamp(s), memory_order_release);
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

void race_order_ends(struct race_lock *l)
{
    if (!atomic_load_explicit(&l->nested, memory_order_relaxed)) {
        atomic_fetch_add_explicit(&l->gen, 1, memory_order_seq_cst);
        if (!atomic_load_explicit(&l->nested, memory_order_seq_cst))
            return;   /* whoever nests it from now on sees the new generation */
    }
    race_spin_lock(&order_lock);
    atomic_fetch_add_explicit(&l->gen, 1, memory_order_relaxed);
    if (l->order) {
        for (struct order_info *o = l->order->taken; o; o = o->next_taken)
            o->listed = false;
        l->order->taken = NULL;
        l->order->taken_end = &l->order->taken;
        order_node_clear(l->order);
    }
    atomic_fetch_add_explicit(&race_order_lives, 2, memory_order_release);
    race_spin_unlock(&order_lock);
}

/* ---- search ---- */

/* steps[0] is the new one; each further one takes what the one before it holds. */
static struct order_step steps[STEPS_MAX];
static int nsteps;
static uint32_t mark;
static int64_t saved, looks;   /* looks: what this search may still look at */
static bool cut;               /* a search deeper than this one would see more */

/* Marks what the steps hold, and whether as readers only: a lock that is marked otherwise is a gate. */
static void mark_held(const struct order_step *step)
{
    begin_walk();
    for (const struct lockset *h = step->wanted->parent; h->parent; h = h->parent, looks--) {
        if (!is_held(h))
            continue;
        h->lock->mark_kind = h->lock->mark == mark ? h->lock->mark_kind & h->kind : h->kind;
        h->lock->mark = mark;
    }
}

static void push(struct order_step step)
{
    steps[nsteps++] = step;
    mark_held(&step);
}

static void pop(void)
{
    nsteps--;
    mark++;
    for (int i = 0; i < nsteps; i++)
        mark_held(&steps[i]);
}

/* Whether s holds none of what the steps hold. */
static bool has_no_gate(const struct lockset *s)
{
    begin_walk();
    for (const struct lockset *h = s->parent; h->parent; h = h->parent, looks--)
        if (is_held(h) && h->lock->mark == mark && !(h->lock->mark_kind & h->kind & LOCK_READ))
            return false;
    return true;
}

/* Whether the lock's memory was written by a plain store, by whom `by` is, after by: an initializer. Another goroutine's store can't be placed in time. */
static bool begun_anew(const struct race_lock *l, uint64_t by)
{
    struct race_side w;
    return shadow_last_write(l->addr, &w) && epoch_slot(w.epoch) == epoch_slot(by) && epoch_clock(w.epoch) > epoch_clock(by);
}

/* Whether the k-th that was there is another goroutine than those of the steps so far. */
static bool is_another(const struct order_info *o, int k)
{
    uint64_t by = atomic_load_explicit(&o->by[k], memory_order_relaxed);
    for (int i = 0; i < nsteps && by != 0; i++)
        if (epoch_slot(steps[i].by) == epoch_slot(by) && steps[i].user == o->user[k])
            return false;
    return by != 0;
}

static bool has_another(const struct order_info *o)
{
    for (int k = 0; k < ORDER_KNOWN_BY; k++)
        if (is_another(o, k))
            return true;
    return false;
}

/* Whether the locks are still those that the step took. */
static bool fits(const struct order_step *step)
{
    return !begun_anew(step->held->lock, step->by) && !begun_anew(step->wanted->lock, step->by);
}

static bool close_cycle(int depth);

/* A step of somebody who held h when it took w's lock: the last one, if h is what the first one takes; else there are up to depth more. */
static bool go_on(struct lockset *w, struct lockset *h, int depth)
{
    struct order_info *o = info_of(w);
    for (int k = 0; k < ORDER_KNOWN_BY; k++) {
        struct order_step step = {h, w, atomic_load_explicit(&o->by[k], memory_order_relaxed), o->user[k]};
        looks--;
        if (!is_another(o, k) || !fits(&step))
            continue;
        push(step);
        if (h->lock == steps[0].wanted->lock || close_cycle(depth))
            return true;
        pop();
    }
    return false;
}

/* From what the last step holds back to what the first one takes, in at most `depth` more steps. */
static bool close_cycle(int depth)
{
    const struct order_step *next = &steps[nsteps - 1], *first = &steps[0];
    struct order_node *n = next->held->lock->order, *goal = first->wanted->lock->order;
    if (nsteps == STEPS_MAX || !n)
        return false;
    for (struct order_info **p = &n->taken, *o; (o = *p) != NULL && looks > 0; looks--) {
        struct lockset *w = o->set;
        if (!is_valid(w)) {
            o->listed = false;
            *p = o->next_taken;
            if (!*p)
                n->taken_end = p;
            continue;
        }
        p = &o->next_taken;
        if ((w->kind & next->held->kind & LOCK_READ) || !has_another(o) || !has_no_gate(w))
            continue;
        for (struct lockset *h = w->parent; h->parent && looks > 0; h = h->parent, looks--) {
            bool closes = h->lock == first->wanted->lock;
            if (closes ? h->kind & first->wanted->kind & LOCK_READ : !h->lock->order || !order_may_cycle(h->lock->order, goal))
                continue;
            if (!lockset_has(w->parent, h))
                continue;
            if (!closes && depth == 1)
                cut = true;
            else if (go_on(w, h, depth - 1))
                return true;
        }
    }
    return false;
}

/* What g did at s closes a cycle with what others did: the shortest is in steps. */
static bool find_cycle(struct race_g *g, struct lockset *held, struct lockset *s)
{
    cut = true;
    for (int depth = 1; depth < STEPS_MAX && cut && looks > 0; depth = depth < 8 ? depth + 1 : depth * 2) {
        cut = false;
        nsteps = 0;
        mark++;
        push((struct order_step){held, s, g->epoch, g->who->first_clock});
        if (close_cycle(depth))
            return true;
    }
    return false;
}

static bool search(struct race_g *g, struct lockset *s)
{
    struct order_node *taken = s->lock->order;
    saved = saved + EACH < SAVED ? saved + EACH : SAVED;
    for (struct lockset *h = s->parent; h->parent && saved > 0; h = h->parent, saved--) {
        bool may_cycle = h->lock->order && order_may_cycle(h->lock->order, taken);
        if (is_foreign(h) || !(may_cycle || is_entered(h)) || !lockset_has(s->parent, h))
            continue;
        if (!may_cycle)
            return false;
        int64_t most = saved / 2 + 1;   /* the rest is for the locks held before */
        looks = most;
        bool found = find_cycle(g, h, s);
        saved -= most - looks;
        if (found)
            return true;
    }
    return false;
}

race_noinline void race_order_add(struct race_g *g, struct lockset *s)
{
    bool has_it_already = (s->kind & (LOCK_READ | LOCK_RECURSIVE)) && race_times_held(g, s->lock->addr) > (g->locks == s);
    if (is_foreign(s) || has_it_already)   /* it does not wait */
        return;
    struct order_step found[STEPS_MAX];
    int nfound = 0;
    race_spin_lock(&order_lock);
    struct order_info *o = info_of(s);
    if (!o) {
        o = race_alloc(sizeof *o);
        o->set = s;
        enter(s, o);
        atomic_store_explicit(&s->order, o, memory_order_release);
    } else if (!is_valid(s)) {
        enter(s, o);
    }
    known_by(o, g);
    if (search(g, s)) {
        found[nfound++] = steps[0];
        while (nsteps > 1)
            found[nfound++] = steps[--nsteps];
    }
    race_spin_unlock(&order_lock);
    if (nfound > 0)
        race_report_cycle(g, found, nfound);
}
