/* Call stacks as numbers: the calling-context tree.
 *
 * Each distinct call stack is one node: a return address and the caller's node. A goroutine's current stack is one pointer; entering a
 * function finds the child for its return address (the node remembers the last one asked for, so a loop that calls the same function pays one
 * compare), leaving takes the parent. So the stack of an access, however old, is the number of a node, kept beside the access's epoch: it is
 * never lost, and costs nothing to keep. Nodes are never freed. Recursion that branches makes as many stacks as it has ways down; past 8 million
 * nodes new calls are not told apart any more: their accesses show the stack of the last caller that has a node. */
#ifndef RACE_STACK_H
#define RACE_STACK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct stack_node {
    uintptr_t pc;                            /* where the call returns to */
    struct stack_node *parent;
    _Atomic(struct stack_node *) last_child; /* a hint: relaxed, any child of this node will do */
    struct stack_node *next;                 /* in its hash bucket */
    uint32_t id;
    uint32_t depth;
};

extern struct stack_node race_stack_root;    /* id 0: the empty stack */

/* The node for a call from n that returns to pc; NULL: there is no room for more. Thread-safe. */
struct stack_node *race_stack_call_slow(struct stack_node *n, uintptr_t pc);
static inline struct stack_node *race_stack_call(struct stack_node *n, uintptr_t pc)
{
    struct stack_node *c = atomic_load_explicit(&n->last_child, memory_order_acquire);   /* pairs with the release that made c known */
    if (__builtin_expect(c != 0, 1) && c->pc == pc)
        return c;
    return race_stack_call_slow(n, pc);
}

struct stack_node *race_stack_by_id(uint32_t id);
/* Writes the stack, innermost first: leaf (if not 0), then return addresses; returns how many. */
int race_stack_pcs(uint32_t id, uintptr_t leaf, uintptr_t *pcs, int max);

/* A program counter in 32 bits and back. */
uint32_t race_pc_pack_slow(uintptr_t pc);
uintptr_t race_pc_unpack(uint32_t packed);
extern char race_pc_base[] __attribute__((visibility("hidden")));
/* Whether it is the program's own code, not a shared object's; then race_pc_pack_near packs it, and that is the same number, found once. */
static inline uintptr_t race_pc_distance(uintptr_t pc)
{
    return pc - (uintptr_t)race_pc_base + (1u << 30);
}
static inline bool race_pc_is_near(uintptr_t pc)
{
    return race_pc_distance(pc) < 1u << 31;
}
static inline uint32_t race_pc_pack_near(uintptr_t pc)
{
    return (uint32_t)race_pc_distance(pc);
}
static inline uint32_t race_pc_pack(uintptr_t pc)
{
    return __builtin_expect(race_pc_is_near(pc), 1) ? race_pc_pack_near(pc) : race_pc_pack_slow(pc);
}

#endif
