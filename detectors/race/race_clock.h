/* Vector clocks. The model is an array: slot -> clock, 0 where nothing is known; get reads one, raise lifts one, join takes the maximum
 * of two in each place. tests/unit/test_clock.c keeps that array beside this and compares.
 *
 * What it is instead: a persistent tree, immutable once shared and counted by reference. A leaf holds the clocks of 16 slots, an inner node 8
 * subtrees. Copying a clock is one reference; raising a place of a shared clock copies the nodes above it. A node that only its owner
 * refers to is changed in place. Clocks of a single leaf, which is all that a program of few goroutines has, are copied by their 64 bytes where
 * sharing would only lead to a copy at the next change (clock_assign).
 *
 * A join walks only where it must:
 * - where the two are the same node there is nothing to do;
 * - where one side has nothing the other side's subtree is shared;
 * - where one node descends from the other, the descendant is the join. Clocks only grow, so most that meet are descendants: what a mutex holds
 *   now descends from what its last holders left there. Each inner node or note belongs to a *lineage*, a chain in which each node knows at
 *   least what those before it knew; its number and the place in the chain are one word, so this is one compare.
 * So 100,000 goroutines that pass through one mutex, again and again, share nearly all of their clocks.
 *
 * Nor does each of them pay for a path: raising a place of a shared tree puts a *note* on it, a node with up to 7 raised places and a reference to the
 * tree as it was; raising one more puts them all into a copy of their paths, which are mostly one, as goroutines that were started together have slots
 * side by side. Only the root of a clock can be a note.
 *
 * A clock (struct clock *) belongs to one thread at a time or is guarded by a lock; the nodes below it may be shared by any number. */
#ifndef RACE_CLOCK_H
#define RACE_CLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { CLOCK_LEAF_BITS = 4, CLOCK_LEAF = 1 << CLOCK_LEAF_BITS, CLOCK_FAN_BITS = 3, CLOCK_FAN = 1 << CLOCK_FAN_BITS };
enum { CLOCK_NOTE = 0xff, CLOCK_NOTED = 7 };   /* the level of a note; how many places it can raise */

struct clock_place {
    uint32_t slot, value;
};

struct clock_node {
    atomic_uint refs;
    uint8_t level;            /* 0: a leaf */
    uint8_t noted;            /* how many places a note raises */
    atomic_bool continued;    /* the next of its lineage exists */
    uint64_t lineage;         /* of an inner node or a note: number | place in the chain */
    union {
        uint32_t clock[CLOCK_LEAF];
        struct clock_node *child[CLOCK_FAN];
        struct {
            struct clock_node *tree;                 /* of level 1 or more */
            struct clock_place place[CLOCK_NOTED];   /* each within the tree's slots, once, and above what the tree has there */
        };
    };
};

struct clock {
    struct clock_node *root;   /* NULL: nothing is known */
};

static inline uint32_t clock_get(const struct clock *c, uint32_t slot)
{
    const struct clock_node *n = c->root;
    if (!n)
        return 0;
    if (n->level == CLOCK_NOTE) {
        for (unsigned i = 0; i < n->noted; i++)
            if (n->place[i].slot == slot)
                return n->place[i].value;
        n = n->tree;
    }
    if (slot >> (CLOCK_LEAF_BITS + CLOCK_FAN_BITS * n->level))
        return 0;
    for (unsigned level = n->level; level > 0; level--) {
        n = n->child[slot >> (CLOCK_LEAF_BITS + CLOCK_FAN_BITS * (level - 1)) & (CLOCK_FAN - 1)];
        if (!n)
            return 0;
    }
    return n->clock[slot & (CLOCK_LEAF - 1)];
}
/* c[slot] = max(c[slot], value). */
void clock_raise(struct clock *c, uint32_t slot, uint32_t value);
/* c = max(c, other), place by place. False: that surely changed nothing. keep_line says whose descendant the result had better be, where both are
 * not: c's (true: c gathers from many) or other's (c follows what others leave there). */
bool clock_join(struct clock *c, const struct clock *other, bool keep_line);
/* c = max(c, other), and then c[slot] = max(c[slot], value). */
void clock_learn(struct clock *c, const struct clock *other, uint32_t slot, uint32_t value);
/* c = other. copy shares; assign, for a clock that is assigned to again and again, copies a single leaf into the one that it has. */
void clock_copy(struct clock *c, const struct clock *other);
void clock_assign(struct clock *c, const struct clock *other);
/* c = other, with a root of its own, to which others may then refer without touching other's. */
void clock_copy_root(struct clock *c, const struct clock *other);
/* `place` becomes what c knows, and c learns what was there before and (slot, value), if both are single leaves, and each its clock's alone. False: nothing
 * is done. */
bool clock_pass(struct clock *c, struct clock *place, uint32_t slot, uint32_t value);
/* Calls fn with the places of c that lie after those of `known`, but for `but`, until it returns true; true: it has. */
bool clock_newer(const struct clock *c, const struct clock *known, uint32_t but, bool (*fn)(void *arg, uint32_t slot, uint32_t value), void *arg);
/* to = from, from = nothing. */
void clock_move(struct clock *to, struct clock *from);
/* c = nothing. */
void clock_clear(struct clock *c);
static inline bool clock_same(const struct clock *a, const struct clock *b)   /* shared: surely equal; false: perhaps not */
{
    return a->root == b->root;
}
/* Two goroutines meet: a, at slot_a with value_a, and b likewise, learn all that the other knows. */
void clock_meet(struct clock *a, uint32_t slot_a, uint32_t value_a, struct clock *b, uint32_t slot_b, uint32_t value_b);

#endif
