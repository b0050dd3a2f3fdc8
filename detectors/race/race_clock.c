/* The persistent tree. See race_clock.h.
 *
 * A node of level 0 holds the clocks of 16 slots, one of level n the nodes of 16 subtrees of level n-1. A tree is just as high as its
 * highest slot needs; a lower tree is child 0, 0, ... of a higher one.
 *
 * Reference counts: an increment is relaxed (whoever makes one holds a reference), a decrement is release, and the last one acquires before
 * the node is freed or, when it finds itself the only owner, changed in place. */
#include "race_clock.h"

#include <stdatomic.h>
#include <stddef.h>

#include "race_alloc.h"

enum { BITS = 4, FAN = 1 << BITS };

struct clock_node {
    atomic_uint refs;
    uint32_t level;
    union {
        uint32_t clock[FAN];
        struct clock_node *child[FAN];
    };
};

typedef struct clock_node node;

static size_t node_bytes(uint32_t level)
{
    return offsetof(node, clock) + (level ? FAN * sizeof(node *) : FAN * sizeof(uint32_t));
}

static node *ref(node *n)
{
    if (n)
        atomic_fetch_add_explicit(&n->refs, 1, memory_order_relaxed);
    return n;
}

static void unref(node *n)
{
    if (!n || atomic_fetch_sub_explicit(&n->refs, 1, memory_order_acq_rel) != 1)
        return;
    if (n->level)
        for (int i = 0; i < FAN; i++)
            unref(n->child[i]);
    race_free(n, node_bytes(n->level));
}

static node *node_new(uint32_t level)
{
    node *n = race_alloc(node_bytes(level));
    atomic_init(&n->refs, 1);
    n->level = level;
    return n;
}

static node *node_copy(const node *from)
{
    node *n = node_new(from->level);
    for (int i = 0; i < FAN; i++) {
        if (n->level)
            n->child[i] = ref(from->child[i]);
        else
            n->clock[i] = from->clock[i];
    }
    return n;
}

static uint32_t level_of(uint32_t slot)
{
    uint32_t level = 0;
    while (slot >> (BITS * (level + 1)))
        level++;
    return level;
}

static unsigned place(uint32_t slot, uint32_t level)
{
    return (slot >> (BITS * level)) & (FAN - 1);
}

uint32_t clock_get(const struct clock *c, uint32_t slot)
{
    const node *n = c->root;
    if (!n || level_of(slot) > n->level)
        return 0;
    while (n->level) {
        n = n->child[place(slot, n->level)];
        if (!n)
            return 0;
    }
    return n->clock[place(slot, 0)];
}

/* Takes over a reference to n (may be NULL: an empty subtree of that level) and returns one to the raised tree. */
static node *raise(node *n, uint32_t level, uint32_t slot, uint32_t value)
{
    if (!n) {
        n = node_new(level);
    } else if (atomic_load_explicit(&n->refs, memory_order_acquire) != 1) {
        node *own = node_copy(n);
        unref(n);
        n = own;
    }
    unsigned i = place(slot, level);
    if (level)
        n->child[i] = raise(n->child[i], level - 1, slot, value);
    else
        n->clock[i] = value;
    return n;
}

void clock_raise(struct clock *c, uint32_t slot, uint32_t value)
{
    if (clock_get(c, slot) >= value)
        return;
    uint32_t level = level_of(slot);
    if (c->root && c->root->level > level)
        level = c->root->level;
    while (c->root && c->root->level < level) {
        node *top = node_new(c->root->level + 1);
        top->child[0] = c->root;
        c->root = top;
    }
    c->root = raise(c->root, level, slot, value);
}

/* A reference to b as a tree of that level, at least its own. */
static node *lift(node *b, uint32_t level)
{
    ref(b);
    while (b->level < level) {
        node *top = node_new(b->level + 1);
        top->child[0] = b;
        b = top;
    }
    return b;
}

/* A reference to the join of a and b, as high as the higher of them. */
static node *join(node *a, node *b)
{
    if (!b || a == b)
        return ref(a);
    if (!a)
        return ref(b);
    if (a->level < b->level) {
        node *t = a;
        a = b;
        b = t;
    }
    if (a->level > b->level) {
        node *c = a->child[0] ? join(a->child[0], b) : lift(b, a->level - 1);
        if (c == a->child[0]) {
            unref(c);
            return ref(a);
        }
        node *n = node_copy(a);
        unref(n->child[0]);
        n->child[0] = c;
        return n;
    }
    bool is_a = true, is_b = true;
    if (a->level == 0) {
        for (int i = 0; i < FAN; i++) {
            is_a = is_a && a->clock[i] >= b->clock[i];
            is_b = is_b && b->clock[i] >= a->clock[i];
        }
        if (is_a || is_b)
            return ref(is_a ? a : b);
        node *n = node_new(0);
        for (int i = 0; i < FAN; i++)
            n->clock[i] = a->clock[i] > b->clock[i] ? a->clock[i] : b->clock[i];
        return n;
    }
    node *child[FAN];
    for (int i = 0; i < FAN; i++) {
        child[i] = join(a->child[i], b->child[i]);
        is_a = is_a && child[i] == a->child[i];
        is_b = is_b && child[i] == b->child[i];
    }
    if (is_a || is_b) {
        for (int i = 0; i < FAN; i++)
            unref(child[i]);
        return ref(is_a ? a : b);
    }
    node *n = node_new(a->level);
    for (int i = 0; i < FAN; i++)
        n->child[i] = child[i];
    return n;
}

bool clock_join(struct clock *c, const struct clock *other)
{
    node *old = c->root;
    c->root = join(old, other->root);
    bool changed = c->root != old;
    unref(old);
    return changed;
}

void clock_copy(struct clock *c, const struct clock *other)
{
    if (c->root == other->root)
        return;
    node *old = c->root;
    c->root = ref(other->root);
    unref(old);
}

void clock_clear(struct clock *c)
{
    unref(c->root);
    c->root = NULL;
}

bool clock_same(const struct clock *a, const struct clock *b)
{
    return a->root == b->root;
}
