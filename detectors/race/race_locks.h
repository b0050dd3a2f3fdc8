/* Which locks a goroutine holds, now and at any moment of its past that a report may ask for; and misuse of locks.
 *
 * A lockset is a list of what is held, latest first, each with the place where it was locked, and of what of it was given back (race_held.h). Equal
 * lists are one object (as equal call stacks are one node, race_stack.h), found by its parent and the lock added, so a goroutine's present is one
 * pointer, and a number names it for ever. Locking and unlocking begin a new epoch, and the goroutine's history says from which clock on it held which
 * set: so the epoch kept with a previous access finds the set that was held then, exactly, or nothing if the history does not reach back so far (GORACE
 * history_size). It is never guessed.
 *
 * A race_lock is what is known of the lock at an address: who holds it, and the order in which it was taken (race_order.h). There is one for
 * each address that was ever locked. When the memory ends or begins a new life (free, destroy, init, the end of a stack) the lock's generation goes
 * up, and all that was known of its order is void.
 *
 * A go_mutex may be unlocked by another goroutine than locked it (Go's rule). Where that was seen, "held" says nothing: the lock is marked `foreign`, no
 * report claims to know a set that contains it, and it takes no part in the lock order. */
#ifndef RACE_LOCKS_H
#define RACE_LOCKS_H

#include "race.h"
#include "race_lock_history.h"
#include "race_lock_uses.h"

enum {
    LOCK_GO_MUTEX, LOCK_GO_RWMUTEX, LOCK_MUTEX, LOCK_RWLOCK, LOCK_SPIN,
    LOCK_COND, LOCK_BARRIER, LOCK_SEM,   /* held by nobody: race_waits.h */
    LOCK_TYPE = 7,
    LOCK_READ = 8,          /* shared with other readers */
    LOCK_TRIED = 16,        /* did not wait for it, and would not have: no deadlock comes of it */
    LOCK_RECURSIVE = 32,    /* its holder may lock it again */
    LOCK_GONE = 64          /* of a set's entry: was given back (race_held.h) */
};

struct lockset;
struct order_info;
struct race_lock {
    uintptr_t addr;
    struct race_lock *next;             /* in its hash bucket */
    _Atomic(struct lockset *) holder;   /* who writes under it: its lockset, which says where; NULL: nobody, or readers */
    _Atomic(uint64_t) since;            /* the holder's epoch when it locked */
    atomic_uint readers;
    atomic_uint gen;
    atomic_bool foreign;
    _Atomic(uint16_t) note;             /* race_annotate.c */
    atomic_bool nested;                 /* was ever held together with another */
    uint32_t mark, mark_kind;           /* race_order.c */
    uint32_t gone_mark, gone;           /* race_order.c */
    struct order_node *order;           /* race_order.c; NULL: its order was never looked at */
};

struct lockset {
    struct lockset *parent;             /* lockset_none at the end */
    struct race_lock *lock;
    struct lockset *next;               /* in its hash bucket */
    _Atomic(struct order_info *) order; /* race_order.c */
    _Atomic(uint64_t) stamp;            /* race_order.h */
    uint32_t node, pc;                  /* where it was locked */
    uint32_t id;
    uint32_t kind;
    uint32_t live, gone;                /* race_held.h */
};
extern struct lockset lockset_none;     /* id 0: nothing is held */
struct lockset *lockset_by_id(uint32_t id);

static inline struct lockset **race_lock_hint(struct race_g *g, uintptr_t addr, uintptr_t pc)
{
    return &g->lock_hints[(addr >> 3 ^ addr >> 6 ^ pc >> 2) % (sizeof g->lock_hints / sizeof g->lock_hints[0])];
}

/* What g will hold, if it held that lately. NULL: perhaps it never took that lock before. */
static inline struct lockset *race_lock_hinted(struct race_g *g, uintptr_t addr, unsigned kind, uintptr_t pc)
{
    struct lockset *c = *race_lock_hint(g, addr, pc);
    bool same = c && c->parent == g->locks && c->lock->addr == addr && c->pc == race_pc_pack(pc) && c->node == g->node->id && c->kind == kind;
    return race_likely(same) ? c : NULL;
}

/* g has locked addr, and has not acquired yet what its last holders left; kind: LOCK_*. Returns what race_lock_taken wants to know: race_lock_hinted. */
static inline struct lockset *race_lock_begins(struct race_g *g, const void *addr, unsigned kind, uintptr_t pc)
{
    if (race_unlikely(race_is_nobody(g) || g->locks_off))
        return NULL;
    struct lockset *known = race_lock_hinted(g, (uintptr_t)addr, kind, pc);
    if (race_unlikely(!known))
        lock_use_begins(g, (uintptr_t)addr, pc);
    return known;
}
/* g is about to release what it did, and then to unlock a lock: who knows that has seen the unlock. */
static inline void race_lock_leaves(struct race_g *g)
{
    if (race_likely(g && g != &race_ignored))
        g->recorded = true;
}
/* g has locked addr. Begins a new epoch. */
void race_lock_taken(struct race_g *g, const void *addr, unsigned kind, uintptr_t pc, struct lockset *known);
/* g is about to wait for it: what could become a deadlock is told before it is one. */
void race_lock_wanted_too(struct race_g *g, const void *addr, unsigned kind, uintptr_t pc);
static inline void race_lock_wanted(struct race_g *g, const void *addr, unsigned kind, uintptr_t pc)
{
    if (race_unlikely(g != NULL && g->locks != &lockset_none))
        race_lock_wanted_too(g, addr, kind, pc);
}
/* g is about to unlock addr; called directly after the release of it, which has begun a new epoch. False: it was not in the caller's set. */
bool race_lock_released(struct race_g *g, const void *addr, unsigned kind);
/* Whether anybody is known to hold addr for writing. */
bool race_lock_has_holder(const void *addr);

/* What race_annotate.c wants to know again of the lock at addr; 0: nothing was noted. */
void race_lock_note(const void *addr, unsigned note);
unsigned race_lock_noted(const void *addr);

/* The locks in these n bytes are no more. Reports those that are held (g NULL: doesn't). */
void race_lock_gone(struct race_g *g, uintptr_t addr, size_t n, enum lock_end how, uintptr_t pc);

/* Misuse that the caller has made sure of. */
enum lock_misuse {
    MISUSE_UNLOCK_UNLOCKED, MISUSE_UNLOCK_OTHERS, MISUSE_DOUBLE_LOCK, MISUSE_LOCK_DESTROYED, MISUSE_DESTROY, MISUSE_FREE, MISUSE_STACK_ENDED,
    MISUSE_DESTROY_WAITED, MISUSE_FREE_WAITED, MISUSE_STACK_ENDED_WAITED
};
void race_lock_misused(struct race_g *g, const void *addr, unsigned kind, enum lock_misuse what, uintptr_t pc);

#endif
