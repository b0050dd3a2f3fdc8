/* The calling-context tree. See race_stack.h.
 *
 * Children are found by hash tables of (parent, pc), global ones: a small one for the first nodes, which is all that most programs touch, and a large one for
 * those that come when that is full, so that lists stay short up to the last node. A bucket is a list that only grows at its head: insertion under one of a few
 * locks (a pair has the same one in both tables), lookups without. Release on publishing a node, acquire on reading the head. */
#include "race_stack.h"

#include <assert.h>
#include <stddef.h>

#include "race_alloc.h"
#include "race_die.h"
#include "race_spin.h"

enum { SMALL_BITS = 18, LARGE_BITS = 22, LOCKS = 64, CHUNK = 4096, CHUNKS = 2048, NODES_MAX = CHUNK * CHUNKS };

struct stack_node race_stack_root;
char race_pc_base[1];

struct table {
    uint32_t first, mask;   /* the first node that may be in it; buckets less one */
    _Atomic(struct stack_node *) *_Atomic buckets;
};
static struct table small = {0, (1u << SMALL_BITS) - 1, NULL}, large = {1u << SMALL_BITS, (1u << LARGE_BITS) - 1, NULL};
static atomic_flag locks[LOCKS];
static _Atomic(struct stack_node *) chunks[CHUNKS];
static atomic_uint count = 1;   /* 0 is the root */

static uint32_t hash(const struct stack_node *n, uintptr_t pc)
{
    uint64_t h = ((uint64_t)n->id << 32 ^ pc) * 0x9e3779b97f4a7c15u;
    h ^= h >> 29;
    return (uint32_t)((h * 0xbf58476d1ce4e5b9u) >> (64 - LARGE_BITS));
}
static_assert(LOCKS <= 1 << SMALL_BITS, "the lock is chosen by bits that both tables use");

static _Atomic(struct stack_node *) *bucket_of(struct table *t, uint32_t h)
{
    _Atomic(struct stack_node *) *b = atomic_load_explicit(&t->buckets, memory_order_acquire);
    if (!b) {
        _Atomic(struct stack_node *) *none = NULL;
        b = race_map((t->mask + 1ul) * sizeof *b);
        if (!atomic_compare_exchange_strong(&t->buckets, &none, b))
            b = none;
    }
    return &b[h & t->mask];
}

static struct stack_node *slot_of(uint32_t id)
{
    _Atomic(struct stack_node *) *c = &chunks[id / CHUNK];
    struct stack_node *chunk = atomic_load_explicit(c, memory_order_acquire);
    if (!chunk) {
        struct stack_node *none = NULL;
        chunk = race_map(CHUNK * sizeof *chunk);
        if (!atomic_compare_exchange_strong(c, &none, chunk))
            chunk = none;
        else
            race_memory_count(CHUNK * sizeof *chunk);
    }
    return &chunk[id % CHUNK];
}

static struct stack_node *find_in(_Atomic(struct stack_node *) *bucket, const struct stack_node *n, uintptr_t pc)
{
    struct stack_node *c = atomic_load_explicit(bucket, memory_order_acquire);
    while (c && (c->parent != n || c->pc != pc))
        c = c->next;
    return c;
}

static struct stack_node *find(const struct stack_node *n, uintptr_t pc, uint32_t h)
{
    struct stack_node *c = find_in(bucket_of(&small, h), n, pc);
    if (!c && atomic_load_explicit(&count, memory_order_relaxed) > large.first)   /* under the lock it sees all nodes of this bucket */
        c = find_in(bucket_of(&large, h), n, pc);
    return c;
}

/* A new node, or NULL: there is no room. The bucket's lock is held. */
static struct stack_node *add(struct stack_node *n, uintptr_t pc, uint32_t h)
{
    uint32_t id = atomic_load_explicit(&count, memory_order_relaxed);
    if (id < NODES_MAX)
        id = atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
    if (id >= NODES_MAX)
        return NULL;
    struct stack_node *c = slot_of(id);
    _Atomic(struct stack_node *) *bucket = bucket_of(id < large.first ? &small : &large, h);
    *c = (struct stack_node){.pc = pc, .parent = n, .id = id, .depth = n->depth + 1, .next = atomic_load_explicit(bucket, memory_order_relaxed)};
    atomic_store_explicit(bucket, c, memory_order_release);
    return c;
}

static void say_full(void)
{
    static atomic_flag said = ATOMIC_FLAG_INIT;
    if (!atomic_flag_test_and_set_explicit(&said, memory_order_relaxed))
        race_warn("there are eight million different call stacks", "accesses below new ones are shown at the last call that is known");
}

struct stack_node *race_stack_call_slow(struct stack_node *n, uintptr_t pc)
{
    uint32_t h = hash(n, pc);
    struct stack_node *c = find(n, pc, h);
    if (!c && atomic_load_explicit(&count, memory_order_relaxed) < NODES_MAX) {
        atomic_flag *l = &locks[h % LOCKS];
        race_spin_lock(l);
        c = find(n, pc, h);
        if (!c)
            c = add(n, pc, h);
        race_spin_unlock(l);
    }
    if (!c) {
        say_full();
        return NULL;
    }
    atomic_store_explicit(&n->last_child, c, memory_order_release);
    return c;
}

struct stack_node *race_stack_by_id(uint32_t id)
{
    return id ? slot_of(id) : &race_stack_root;
}

int race_stack_pcs(uint32_t id, uintptr_t leaf, uintptr_t *pcs, int max)
{
    int n = 0;
    if (leaf && max > 0)
        pcs[n++] = leaf;
    for (struct stack_node *s = race_stack_by_id(id); s != &race_stack_root && n < max; s = s->parent)
        pcs[n++] = s->pc;
    return n;
}

/* ---- program counters of shared objects ---- */

enum { FAR_MAX = 1 << 20, FAR = 1u << 31 };
static _Atomic(uintptr_t) *_Atomic far_pcs;

uint32_t race_pc_pack_slow(uintptr_t pc)
{
    _Atomic(uintptr_t) *t = atomic_load_explicit(&far_pcs, memory_order_acquire);
    if (!t) {
        _Atomic(uintptr_t) *none = NULL;
        t = race_map(FAR_MAX * sizeof *t);
        if (!atomic_compare_exchange_strong(&far_pcs, &none, t))
            t = none;
    }
    uint32_t i = (uint32_t)((pc * 0x9e3779b97f4a7c15u) >> 44);
    for (uint32_t probes = 0; probes < FAR_MAX; probes++, i = (i + 1) % FAR_MAX) {
        uintptr_t there = atomic_load_explicit(&t[i], memory_order_relaxed), none = 0;
        if (there == 0 && !atomic_compare_exchange_strong_explicit(&t[i], &none, pc, memory_order_relaxed, memory_order_relaxed))
            there = none;
        if (there == pc || there == 0)
            return FAR | i;
    }
    return 0;   /* a million places in shared objects: unknown */
}

uintptr_t race_pc_unpack(uint32_t packed)
{
    if (packed & FAR)
        return atomic_load_explicit(&atomic_load_explicit(&far_pcs, memory_order_acquire)[packed & ~FAR], memory_order_relaxed);
    return packed ? (uintptr_t)race_pc_base + packed - (1 << 30) : 0;
}
