/* Components, their numbers, edges. See race_order_graph.h. */
#include "race_order_graph.h"

#include "race_alloc.h"
#include "race_sort.h"

enum { BUCKETS = 1 << 18 };

struct order_edge {
    struct order_node *from, *to;
    struct order_edge *next_out, **at_out, *next_in, **at_in;   /* at_: who points at it */
    struct order_edge *next;                                    /* in its bucket */
    bool placed;                                                /* false: not counted in the order, while a component is taken apart */
};

static struct order_edge *buckets[BUCKETS];
static uint32_t nedges, mark;
static uint64_t visits;
static int64_t lowest, highest;   /* of all numbers */

uint64_t order_visits(void)
{
    return visits;
}

uint32_t order_edges(void)
{
    return nedges;
}

/* ---- components ---- */

static void be_alone(struct order_node *n)
{
    n->next = n->prev = n;
    n->component = &n->alone;
    n->alone = (struct order_component){.at = n->alone.at, .size = 1, .first = n};
}

void order_node_init(struct order_node *n)
{
    be_alone(n);
    n->taken_end = &n->taken;
}

static void component_free(struct order_component *c)
{
    if (c != &c->first->alone)
        race_free(c, sizeof *c);
}

/* The smaller ones become part of the largest, which keeps its marks and number. */
static struct order_component *merge(struct order_component *a, struct order_component *b)
{
    if (a->size < b->size) {
        struct order_component *c = a;
        a = b;
        b = c;
    }
    if (a == &a->first->alone) {   /* a component of several is not in one of its locks, which may end before it */
        struct order_component *c = race_alloc(sizeof *c);
        *c = *a;
        c->first->component = c;
        a = c;
    }
    struct order_node *x = a->first, *y = b->first, *n = y;
    do {
        n->component = a;
        n = n->next;
    } while (n != y);
    struct order_node *x_next = x->next, *y_last = y->prev;
    x->next = y;
    y->prev = x;
    y_last->next = x_next;
    x_next->prev = y_last;
    a->size += b->size;
    a->lost += b->lost;
    component_free(b);
    return a;
}

static void leave(struct order_node *n)
{
    struct order_component *c = n->component;
    if (c == &n->alone)
        return;
    n->prev->next = n->next;
    n->next->prev = n->prev;
    c->first = n->next;
    c->size--;
    c->lost++;
    if (c->size == 1) {
        struct order_node *last = c->first;
        last->alone.at = c->at;
        be_alone(last);
        race_free(c, sizeof *c);
    }
    be_alone(n);
}

/* ---- order ---- */

struct list {
    struct order_component **at;
    uint32_t n, max;
};
static struct list after, before;   /* what a search visited */

static void push(struct list *l, struct order_component *c)
{
    if (l->n == l->max) {
        uint32_t max = l->max ? 2 * l->max : 64;
        struct order_component **bigger = race_alloc_dirty(max * sizeof(struct order_component *));
        for (uint32_t i = 0; i < l->n; i++)
            bigger[i] = l->at[i];
        race_free(l->at, l->max * sizeof(struct order_component *));
        l->at = bigger;
        l->max = max;
    }
    l->at[l->n++] = c;
}

#define NUMBER(c) ((c)->at)
RACE_SORT(sort, struct order_component *, NUMBER)

/* All from c on, along edges, that are not above `limit`. */
static void visit_forwards(struct order_component *c, int64_t limit)
{
    after.n = 0;
    c->after = mark;
    push(&after, c);
    for (uint32_t i = 0; i < after.n; i++) {
        struct order_node *first = after.at[i]->first, *n = first;
        do {
            for (struct order_edge *e = n->out; e; e = e->next_out) {
                struct order_component *to = e->to->component;
                visits++;
                if (!e->placed || to->after == mark || to->at > limit)
                    continue;
                to->after = mark;
                push(&after, to);
            }
            n = n->next;
        } while (n != first);
    }
}

static void visit_backwards(struct order_component *c, int64_t limit)
{
    before.n = 0;
    c->before = mark;
    push(&before, c);
    for (uint32_t i = 0; i < before.n; i++) {
        struct order_node *first = before.at[i]->first, *n = first;
        do {
            for (struct order_edge *e = n->in; e; e = e->next_in) {
                struct order_component *from = e->from->component;
                visits++;
                if (!e->placed || from->before == mark || from->at < limit)
                    continue;
                from->before = mark;
                push(&before, from);
            }
            n = n->next;
        } while (n != first);
    }
}

/* The edge goes down from `from` to `to`. Their numbers, and those of what lies between, are dealt out anew: first to what comes before `from` only, then to
 * what lies on a cycle, which becomes one component, then to what comes after `to` only. */
static void reorder(struct order_component *from, struct order_component *to)
{
    static struct {
        int64_t *at;
        uint32_t max;
    } numbers;
    mark++;
    visit_forwards(to, from->at);
    visit_backwards(from, to->at);
    sort(after.at, after.n);
    sort(before.at, before.n);
    uint32_t n = 0, both = 0;
    if (numbers.max < after.n + before.n) {
        race_free(numbers.at, numbers.max * sizeof numbers.at[0]);
        numbers.max = 2 * (after.n + before.n);
        numbers.at = race_alloc_dirty(numbers.max * sizeof numbers.at[0]);
    }
    for (uint32_t i = 0, k = 0; i < after.n || k < before.n;) {   /* merged; those in both lists once */
        bool first = k == before.n || (i < after.n && after.at[i]->at <= before.at[k]->at);
        int64_t at = first ? after.at[i]->at : before.at[k]->at;
        if (i < after.n && after.at[i]->at == at)
            i++;
        if (k < before.n && before.at[k]->at == at)
            k++;
        numbers.at[n++] = at;
    }
    struct order_component *cycle = NULL;
    uint32_t next = 0;
    for (uint32_t i = 0; i < before.n; i++)
        if (before.at[i]->after != mark)
            before.at[i]->at = numbers.at[next++];
        else
            both++;
    if (both > 0) {
        int64_t at = numbers.at[next];
        uint32_t last = n - (after.n - both);   /* those after it take the highest numbers */
        for (uint32_t i = 0; i < after.n; i++)
            if (after.at[i]->before != mark)
                after.at[i]->at = numbers.at[last++];
        for (uint32_t i = 0; i < before.n; i++)
            if (before.at[i]->after == mark)
                cycle = cycle ? merge(cycle, before.at[i]) : before.at[i];
        cycle->at = at;
        return;
    }
    for (uint32_t i = 0; i < after.n; i++)
        after.at[i]->at = numbers.at[next++];
}

static bool has_place(const struct order_node *n)
{
    return n->component != &n->alone || n->out || n->in;
}

/* Counts the edge in the order, whose ends had a place before it or not. */
static void place(struct order_edge *e, bool from_has_place, bool to_has_place)
{
    struct order_component *from = e->from->component, *to = e->to->component;
    if (!from_has_place && to_has_place)
        from->at = --lowest;
    else if (!from_has_place)
        from->at = ++highest;
    if (!to_has_place)
        to->at = ++highest;
    if (from != to && from->at > to->at)
        reorder(from, to);
    e->placed = true;
}

/* ---- edges ---- */

static struct order_edge **bucket_of(const struct order_node *from, const struct order_node *to)
{
    uint64_t h = ((uintptr_t)from ^ (uintptr_t)to * 31) * 0x9e3779b97f4a7c15u;
    return &buckets[h >> 46];
}

static void link_edge(struct order_edge *e)
{
    e->next_out = e->from->out;
    e->at_out = &e->from->out;
    if (e->next_out)
        e->next_out->at_out = &e->next_out;
    e->from->out = e;
    e->next_in = e->to->in;
    e->at_in = &e->to->in;
    if (e->next_in)
        e->next_in->at_in = &e->next_in;
    e->to->in = e;
}

bool order_edge_add(struct order_node *from, struct order_node *to)
{
    struct order_edge **b = bucket_of(from, to), *e = *b;
    for (; e; e = e->next)
        if (e->from == from && e->to == to)
            return true;
    if (nedges == ORDER_EDGES_MAX)
        return false;
    nedges++;
    e = race_alloc(sizeof *e);
    e->from = from;
    e->to = to;
    e->next = *b;
    *b = e;
    bool from_has_place = has_place(from), to_has_place = has_place(to);
    link_edge(e);
    place(e, from_has_place, to_has_place);
    return true;
}

static void edge_free(struct order_edge *e)
{
    struct order_edge **b = bucket_of(e->from, e->to);
    while (*b != e)
        b = &(*b)->next;
    *b = e->next;
    *e->at_out = e->next_out;
    if (e->next_out)
        e->next_out->at_out = e->at_out;
    *e->at_in = e->next_in;
    if (e->next_in)
        e->next_in->at_in = e->at_in;
    race_free(e, sizeof *e);
    nedges--;
}

void order_node_clear(struct order_node *n)
{
    while (n->out)
        edge_free(n->out);
    while (n->in)
        edge_free(n->in);
    leave(n);
}

/* ---- cycles ---- */

/* Each lock on its own again, below all others, and its edges entered one by one. */
static void take_apart(struct order_component *c)
{
    struct order_node *first = c->first, *n = first, *todo = NULL;
    do {
        for (struct order_edge *e = n->out; e; e = e->next_out)
            e->placed = false;
        for (struct order_edge *e = n->in; e; e = e->next_in)
            e->placed = false;
        n = n->next;
    } while (n != first);
    do {
        struct order_node *next = n->next;
        be_alone(n);
        n->alone.at = --lowest;
        n->todo = todo;
        todo = n;
        n = next;
    } while (n != first);
    race_free(c, sizeof *c);
    for (; todo; todo = todo->todo) {
        for (struct order_edge *e = todo->out; e; e = e->next_out)
            if (!e->placed)
                place(e, true, true);
        for (struct order_edge *e = todo->in; e; e = e->next_in)
            if (!e->placed)
                place(e, true, true);
    }
}

bool order_may_cycle(struct order_node *a, struct order_node *b)
{
    struct order_component *c = a->component;
    if (c != b->component)
        return false;
    if (a != b && c->lost >= c->size) {
        take_apart(c);
        return a->component == b->component;
    }
    return a != b;
}
