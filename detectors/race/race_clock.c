/* The persistent tree. See race_clock.h.
 *
 * A node of level 0 holds the clocks of 16 slots, one of level n the nodes of 8 subtrees of level n-1. A tree is just as high as its
 * highest slot needs; a lower tree is child 0, 0, ... of a higher one. A note stands for the tree that it would be with its places raised.
 *
 * Reference counts: an increment is relaxed (whoever makes one holds a reference), a decrement is release, and the last one acquires before
 * the node is freed or, when it finds itself the only owner, changed in place. A node is reached through its parent, so one whose whole way from the
 * root has counts of 1 is the owner's alone.
 *
 * Lineages. Invariant: of two nodes with the same lineage number that exist at one time, the one with the higher place knows at least as
 * much as the other, in each slot. So it is kept:
 * - a node made from another (copied, then raised or joined) takes its number and the next place, if it is the first to do so, which it
 *   learns by exchanging `continued`; if not, a number of its own. It knows at least what that one knows, then and for ever, because
 * - a node is changed in place only by its sole owner and only upwards, and one that is continued gives up its number first: what
 *   descended from it did so before this change.
 * Leaves have none: comparing 16 clocks costs no more than what it would take to avoid it. */
#include "race_clock.h"

#include <assert.h>
#include <stddef.h>

#include "race_alloc.h"

typedef struct clock_node node;
static_assert(sizeof(node) == 80, "inner nodes, leaves and notes are of one size");

enum { PLACE_BITS = 20, NUMBERS = 4096 };
static const uint64_t PLACE_MAX = (1u << PLACE_BITS) - 1;

static uint64_t lineage_new(void)
{
    static _Atomic(uint64_t) used = 1;
    static _Thread_local uint64_t next __attribute__((tls_model("initial-exec")));   /* each thread takes many at once */
    if (next % NUMBERS == 0)
        next = atomic_fetch_add_explicit(&used, 1, memory_order_relaxed) * NUMBERS;
    return next++ << PLACE_BITS;
}

static node *ref(node *n)
{
    if (n)
        atomic_fetch_add_explicit(&n->refs, 1, memory_order_relaxed);
    return n;
}

static bool is_own(node *n)
{
    return atomic_load_explicit(&n->refs, memory_order_acquire) == 1;
}

static void unref(node *n)
{
    if (!n)
        return;
    if (!is_own(n) && atomic_fetch_sub_explicit(&n->refs, 1, memory_order_acq_rel) != 1)
        return;
    if (n->level == CLOCK_NOTE)
        unref(n->tree);
    else if (n->level)
        for (int i = 0; i < CLOCK_FAN; i++)
            unref(n->child[i]);
    race_free(n, sizeof *n);
}

static node *node_raw(unsigned level)
{
    node *n = race_alloc_dirty(sizeof *n);
    atomic_init(&n->refs, 1);
    atomic_init(&n->continued, false);
    n->level = (uint8_t)level;
    n->lineage = 0;
    return n;
}

static node *node_new(unsigned level)
{
    node *n = node_raw(level);
    for (int i = 0; i < CLOCK_FAN; i++)
        n->child[i] = NULL;
    if (level)
        n->lineage = lineage_new();
    return n;
}
static_assert(CLOCK_FAN * sizeof(node *) == CLOCK_LEAF * sizeof(uint32_t), "clearing children clears clocks");

/* n, an inner node or a note made from `from`, becomes the next of its lineage if it is the first. */
static void descend(node *n, node *from)
{
    if ((from->lineage & PLACE_MAX) != PLACE_MAX && !atomic_load_explicit(&from->continued, memory_order_relaxed) &&
        !atomic_exchange_explicit(&from->continued, true, memory_order_relaxed))
        n->lineage = from->lineage + 1;
    else
        n->lineage = lineage_new();
}

/* An inner node or a note of the owner's is about to be changed. */
static void give_up_line(node *n)
{
    if (atomic_load_explicit(&n->continued, memory_order_relaxed)) {
        atomic_store_explicit(&n->continued, false, memory_order_relaxed);
        n->lineage = lineage_new();
    }
}

static bool same_line(const node *a, const node *b)
{
    return (a->lineage ^ b->lineage) <= PLACE_MAX;
}

static node *node_copy(node *from)
{
    node *n = node_raw(from->level);
    if (n->level) {
        for (int i = 0; i < CLOCK_FAN; i++)
            n->child[i] = ref(from->child[i]);
        descend(n, from);
    } else {
        for (int i = 0; i < CLOCK_LEAF; i++)
            n->clock[i] = from->clock[i];
    }
    return n;
}

static unsigned level_of(uint32_t slot)
{
    unsigned level = 0;
    while (slot >> (CLOCK_LEAF_BITS + CLOCK_FAN_BITS * level))
        level++;
    return level;
}

/* ---- raise ---- */

/* Takes over a reference to n (may be NULL: an empty subtree of that level) and returns one to the raised tree. */
static node *raise(node *n, unsigned level, uint32_t slot, uint32_t value)
{
    if (!n) {
        n = node_new(level);
    } else if (!is_own(n)) {
        node *own = node_copy(n);
        unref(n);
        n = own;
    } else if (level) {
        give_up_line(n);
    }
    if (level) {
        node **child = &n->child[slot >> (CLOCK_LEAF_BITS + CLOCK_FAN_BITS * (level - 1)) & (CLOCK_FAN - 1)];
        *child = raise(*child, level - 1, slot, value);
    } else {
        n->clock[slot & (CLOCK_LEAF - 1)] = value;
    }
    return n;
}

/* Takes over a reference to a tree and returns one to the tree with n's places raised, whose root is the caller's alone. */
static node *raise_noted(node *tree, const node *n)
{
    for (unsigned i = 0; i < n->noted; i++)
        tree = raise(tree, tree->level, n->place[i].slot, n->place[i].value);
    return tree;
}

/* Takes over a reference to a note and returns one to the tree that it stands for, the next of the note's lineage: the caller's alone. */
static node *fold(node *n)
{
    bool own = is_own(n);
    node *tree = raise_noted(own ? n->tree : ref(n->tree), n);
    descend(tree, n);
    if (own)
        race_free(n, sizeof *n);
    else
        unref(n);
    return tree;
}

static node *note_copy(node *from)
{
    node *n = node_raw(CLOCK_NOTE);
    n->tree = ref(from->tree);
    n->noted = from->noted;
    for (unsigned i = 0; i < from->noted; i++)
        n->place[i] = from->place[i];
    descend(n, from);
    return n;
}

/* Takes over a reference to n, a note or a shared tree, and returns one to the same with one place raised. */
static node *raise_by_note(node *n, uint32_t slot, uint32_t value)
{
    unsigned at = 0;
    if (n->level != CLOCK_NOTE) {
        node *top = node_raw(CLOCK_NOTE);
        top->tree = n;
        top->noted = 0;
        descend(top, n);
        n = top;
    } else {
        while (at < n->noted && n->place[at].slot != slot)
            at++;
        if (at == CLOCK_NOTED) {
            n = fold(n);
            return raise(n, n->level, slot, value);
        }
        if (is_own(n)) {
            give_up_line(n);
        } else {
            node *own = note_copy(n);
            unref(n);
            n = own;
        }
    }
    n->place[at] = (struct clock_place){slot, value};
    if (at == n->noted)
        n->noted++;
    return n;
}

static node *tree_of(node *n)
{
    return n && n->level == CLOCK_NOTE ? n->tree : n;
}

void clock_raise(struct clock *c, uint32_t slot, uint32_t value)
{
    if (clock_get(c, slot) >= value)
        return;
    unsigned level = level_of(slot);
    node *tree = tree_of(c->root);
    if (tree && tree->level > 0 && tree->level >= level && (tree != c->root || !is_own(tree))) {
        c->root = raise_by_note(c->root, slot, value);
        return;
    }
    if (tree != c->root)
        c->root = fold(c->root);
    if (c->root && c->root->level > level)
        level = c->root->level;
    while (c->root && c->root->level < level) {
        node *top = node_new(c->root->level + 1);
        top->child[0] = c->root;
        c->root = top;
    }
    c->root = raise(c->root, level, slot, value);
}

/* ---- join ---- */

/* A reference to b as a tree of that level, at least its own. */
static node *lift(node *b, unsigned level)
{
    ref(b);
    while (b->level < level) {
        node *top = node_new(b->level + 1);
        top->child[0] = b;
        b = top;
    }
    return b;
}

/* Four clocks at once, below 2^31: compared with a sign, as every processor can. */
typedef int32_t four __attribute__((vector_size(16), aligned(4), may_alias));
enum { FOURS = CLOCK_LEAF / 4 };

static inline four *fours(uint32_t *clock)
{
    return (four *)clock;
}

static inline four max_of(four a, four b)
{
    four a_leads = a > b;
    return (a & a_leads) | (b & ~a_leads);
}

static node *join_leaves(node *a, node *b)
{
    four top[FOURS], more_a = {0}, more_b = {0};
    for (int i = 0; i < FOURS; i++) {
        four x = fours(a->clock)[i], y = fours(b->clock)[i];
        top[i] = max_of(x, y);
        more_a |= top[i] ^ y;
        more_b |= top[i] ^ x;
    }
    if (!(more_b[0] | more_b[1] | more_b[2] | more_b[3]))
        return ref(a);
    if (!(more_a[0] | more_a[1] | more_a[2] | more_a[3]))
        return ref(b);
    node *n = node_raw(0);
    for (int i = 0; i < FOURS; i++)
        fours(n->clock)[i] = top[i];
    return n;
}

/* A reference to the join of a and b, as high as the higher of them. a_leads: a new node had better descend from a. */
static node *join(node *a, node *b, bool a_leads)
{
    if (!b || a == b)
        return ref(a);
    if (!a)
        return ref(b);
    if (a->level < b->level) {
        node *t = a;
        a = b;
        b = t;
        a_leads = !a_leads;
    }
    if (a->level > b->level) {
        node *c = a->child[0] ? join(a->child[0], b, a_leads) : lift(b, a->level - 1u);
        if (c == a->child[0]) {
            unref(c);
            return ref(a);
        }
        node *n = node_copy(a);
        unref(n->child[0]);
        n->child[0] = c;
        return n;
    }
    if (a->level == 0)
        return join_leaves(a, b);
    if (same_line(a, b))
        return ref(a->lineage >= b->lineage ? a : b);
    node *child[CLOCK_FAN];
    bool is_a = true, is_b = true;
    for (int i = 0; i < CLOCK_FAN; i++) {
        child[i] = join(a->child[i], b->child[i], a_leads);
        is_a = is_a && child[i] == a->child[i];
        is_b = is_b && child[i] == b->child[i];
    }
    if (is_a || is_b) {
        for (int i = 0; i < CLOCK_FAN; i++)
            unref(child[i]);
        return ref(is_a ? a : b);
    }
    node *n = node_raw(a->level);
    for (int i = 0; i < CLOCK_FAN; i++)
        n->child[i] = child[i];
    descend(n, a_leads ? a : b);
    return n;
}

/* Whether a, a clock's root, knows what n raises, if n is a note. */
static bool knows_noted(node *a, const node *n)
{
    bool knows = true;
    for (unsigned i = 0; n->level == CLOCK_NOTE && i < n->noted && knows; i++)
        knows = clock_get(&(struct clock){a}, n->place[i].slot) >= n->place[i].value;
    return knows;
}

/* The same of roots, at least one of them a note: the join of their trees, with the places of both. */
static node *join_noted(node *a, node *b, bool a_leads)
{
    if (same_line(a, b))
        return ref(a->lineage >= b->lineage ? a : b);
    node *trees = join(tree_of(a), tree_of(b), a_leads);
    bool is_a = trees == tree_of(a) && knows_noted(a, b), is_b = trees == tree_of(b) && knows_noted(b, a);
    if (is_a || is_b) {
        unref(trees);
        return ref(is_a ? a : b);
    }
    struct clock sum = {trees};
    for (unsigned i = 0; a->level == CLOCK_NOTE && i < a->noted; i++)
        clock_raise(&sum, a->place[i].slot, a->place[i].value);
    for (unsigned i = 0; b->level == CLOCK_NOTE && i < b->noted; i++)
        clock_raise(&sum, b->place[i].slot, b->place[i].value);
    /* The sum's root is the caller's alone: neither's tree, or else a note on it, as one has places that the other does not know. */
    node *lead = a_leads ? a : b;
    if (tree_of(lead)->level == tree_of(sum.root)->level)
        descend(sum.root, lead);
    return sum.root;
}

bool clock_join(struct clock *c, const struct clock *other, bool keep_line)
{
    node *old = c->root, *with = other->root;
    if (old == with || !with)
        return false;
    bool noted = old && (old->level == CLOCK_NOTE || with->level == CLOCK_NOTE);
    node *n = noted ? join_noted(old, with, keep_line) : join(old, with, keep_line);
    if (n == old) {
        atomic_fetch_sub_explicit(&n->refs, 1, memory_order_relaxed);   /* not the last: old is one of them */
        return false;
    }
    c->root = n;
    unref(old);
    return true;
}

void clock_copy(struct clock *c, const struct clock *other)
{
    if (c->root == other->root)
        return;
    node *old = c->root;
    c->root = ref(other->root);
    unref(old);
}

struct newer {
    uint32_t but;
    bool (*fn)(void *, uint32_t, uint32_t);
    void *arg;
};

static bool newer(const node *n, const node *known, uint32_t from, const struct newer *w)
{
    if (!n || n == known || (n->level > 0 && known && same_line(n, known) && n->lineage <= known->lineage))
        return false;
    bool found = false;
    for (uint32_t i = 0; n->level == 0 && i < CLOCK_LEAF && !found; i++)
        found = n->clock[i] > (known ? known->clock[i] : 0) && from + i != w->but && w->fn(w->arg, from + i, n->clock[i]);
    for (uint32_t i = 0; n->level > 0 && i < CLOCK_FAN && !found; i++)
        found = newer(n->child[i], known ? known->child[i] : NULL, from + (i << (CLOCK_LEAF_BITS + CLOCK_FAN_BITS * (n->level - 1))), w);
    return found;
}

/* The roots may lie at different heights. */
static bool newer_at_level(const node *n, const node *known, const struct newer *w)
{
    while (n && known && known->level > n->level)
        known = known->child[0];
    if (!n || !known || n->level == known->level)
        return newer(n, known, 0, w);
    bool found = newer_at_level(n->child[0], known, w);
    for (uint32_t i = 1; i < CLOCK_FAN && !found; i++)
        found = newer(n->child[i], NULL, i << (CLOCK_LEAF_BITS + CLOCK_FAN_BITS * (n->level - 1)), w);
    return found;
}

/* A reference to what c's root stands for, without notes. */
static node *plain(const struct clock *c)
{
    node *tree = ref(tree_of(c->root));
    return tree == c->root ? tree : raise_noted(tree, c->root);
}

bool clock_newer(const struct clock *c, const struct clock *known, uint32_t but, bool (*fn)(void *, uint32_t, uint32_t), void *arg)
{
    node *n = plain(c), *before = plain(known);
    bool found = newer_at_level(n, before, &(struct newer){but, fn, arg});
    unref(n);
    unref(before);
    return found;
}

void clock_copy_root(struct clock *c, const struct clock *other)
{
    node *from = other->root, *n = !from ? NULL : from->level == CLOCK_NOTE ? note_copy(from) : node_copy(from);
    unref(c->root);
    c->root = n;
}

void clock_move(struct clock *to, struct clock *from)
{
    unref(to->root);
    to->root = from->root;
    from->root = NULL;
}

void clock_clear(struct clock *c)
{
    unref(c->root);
    c->root = NULL;
}

/* ---- single leaves ---- */

static bool is_own_leaf(const struct clock *c)
{
    return c->root && c->root->level == 0 && is_own(c->root);
}

static bool is_leaf(const struct clock *c)
{
    return c->root && c->root->level == 0;
}

static void leaf_max(node *to, node *from)
{
    for (int i = 0; i < FOURS; i++)
        fours(to->clock)[i] = max_of(fours(to->clock)[i], fours(from->clock)[i]);
}

static void leaf_raise(node *n, uint32_t slot, uint32_t value)
{
    n->clock[slot] = n->clock[slot] > value ? n->clock[slot] : value;
}

void clock_learn(struct clock *c, const struct clock *other, uint32_t slot, uint32_t value)
{
    if (is_leaf(c) && is_leaf(other) && slot < CLOCK_LEAF) {
        node *n = c->root;
        if (!is_own(n)) {
            n = node_copy(n);
            unref(c->root);
            c->root = n;
        }
        leaf_max(n, other->root);
        leaf_raise(n, slot, value);
        return;
    }
    clock_join(c, other, false);
    clock_raise(c, slot, value);
}

void clock_assign(struct clock *c, const struct clock *other)
{
    if (!is_leaf(other)) {
        clock_copy(c, other);
        return;
    }
    if (!is_own_leaf(c)) {
        unref(c->root);
        c->root = node_raw(0);
    }
    for (int i = 0; i < CLOCK_LEAF; i++)
        c->root->clock[i] = other->root->clock[i];
}

bool clock_pass(struct clock *c, struct clock *place, uint32_t slot, uint32_t value)
{
    if (!is_own_leaf(c) || !is_own_leaf(place) || slot >= CLOCK_LEAF)
        return false;
    four *a = fours(c->root->clock), *b = fours(place->root->clock);
    for (int i = 0; i < FOURS; i++) {
        four mine = a[i], there = b[i];
        b[i] = mine;
        a[i] = max_of(mine, there);
    }
    leaf_raise(c->root, slot, value);
    return true;
}

void clock_meet(struct clock *a, uint32_t slot_a, uint32_t value_a, struct clock *b, uint32_t slot_b, uint32_t value_b)
{
    if (is_own_leaf(a) && is_own_leaf(b) && (slot_a | slot_b) < CLOCK_LEAF) {
        leaf_max(a->root, b->root);
        leaf_raise(a->root, slot_a, value_a);
        leaf_raise(a->root, slot_b, value_b);
        leaf_max(b->root, a->root);
        return;
    }
    clock_join(a, b, true);
    clock_clear(b);
    clock_raise(a, slot_a, value_a);
    clock_raise(a, slot_b, value_b);
    clock_assign(b, a);
}
