/* Cast of characters of the race detector, and its internal functions grouped by file. docs/race.md has the theory.
 *
 * race_g     one goroutine, or one thread of the program: its vector clock, its current call stack, what it is
 * slot       the place of a race_g in vector clocks; used again only by a goroutine that knows all its former user did
 * epoch      slot and clock in one word: a moment in the life of one goroutine. Its clock counts its releases
 * shadow     for each 8 bytes of the program's memory: the accesses that a later one might race with (race_shadow.h)
 * sync       for each address that is synchronized by: what a release left there (race_sync.h) */
#ifndef RACE_H
#define RACE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "race_clock.h"
#include "race_stack.h"

#define race_likely(c) __builtin_expect(!!(c), 1)
#define race_unlikely(c) __builtin_expect(!!(c), 0)
#define race_noinline __attribute__((noinline))

/* An access in one word: slot | clock | byte mask | write | atomic | lock. The lowest bit is the shadow word's lock (race_shadow.h). */
enum { EPOCH_LOCK = 1, EPOCH_ATOMIC = 2, EPOCH_WRITE = 4, MASK_SHIFT = 3, CLOCK_SHIFT = 11, SLOT_SHIFT = 42 };
enum { SLOTS_MAX = 1 << (64 - SLOT_SHIFT) };
#define CLOCK_MAX 0x7fffffffu
#define EPOCH_CLOCK ((uint64_t)CLOCK_MAX << CLOCK_SHIFT)
static inline uint32_t epoch_slot(uint64_t e) { return (uint32_t)(e >> SLOT_SHIFT); }
static inline uint32_t epoch_clock(uint64_t e) { return (uint32_t)(e >> CLOCK_SHIFT) & CLOCK_MAX; }
static inline uint32_t epoch_mask(uint64_t e) { return (uint32_t)(e >> MASK_SHIFT) & 0xff; }
static inline uint64_t epoch_make(uint32_t slot, uint32_t clock)
{
    return (uint64_t)slot << SLOT_SHIFT | (uint64_t)clock << CLOCK_SHIFT;
}

/* What a report says of a goroutine; outlives it, and keeps its slot meanwhile. */
struct race_who {
    uint64_t id;            /* goroutine's number; 0: a thread that never called the API */
    uint64_t parent_id;
    uint32_t tid;           /* of a thread */
    bool is_main, finished;
    uint32_t create_node;   /* stack of its go(), or of pthread_create */
    uintptr_t create_pc;
    uintptr_t fn;
    uintptr_t stack_lo, stack_hi;
    uint32_t first_clock;   /* of its use of the slot */
    struct race_who *older; /* former user of the slot */
    uintptr_t tp;           /* of a thread: its thread pointer */
    struct race_who *next_ended;          /* race_g.c: of one that gave its slot back, until the slot is used again */
    struct clock known;                   /* likewise: what it knew at its end */
    uint32_t slot, last_clock;            /* likewise: its slot, and the last clock that it used */
    struct lock_history *lock_history;   /* race_locks.c; NULL: it never locked anything */
};

/* Publishing. A release leaves the goroutine's clock for others, and then its epoch ends (race_g_publish), unless nothing happened in it: no access
 * was recorded and nothing learned since the last one. Then the release before published the same, and the clock stays.
 *
 * Invariant, on which race_sync.c relies: whoever knows (slot, value) knows all that the slot's user knew when it published that value. */
struct race_g {
    uint64_t epoch;             /* epoch_make(slot, clock), nothing else set; only the goroutine itself reads it to check accesses */
    uint64_t epoch_of_read, epoch_of_write;   /* and those of accesses of a whole word in it: what the hooks compare with */
    struct stack_node *node;    /* current call stack */
    uint32_t cut;               /* calls below node that have no node of their own */
    uint32_t slot, clock;
    uint32_t disabled;          /* go_race_disable depth: accesses are not checked; race_ignored's is never 0; and SIGNAL_WAITS (below) */
    bool recorded;              /* since it was last cleared, an access with this epoch was put into a shadow word: set by whoever puts one there */
    bool is_thread;
    bool is_placed;             /* its memory is its goroutine's */
    bool locks_off;             /* race_locks.c ran out of room: what it holds is unknown */
    struct lockset *locks;      /* what it holds (race_locks.h) */
    struct lockset *lock_hints[4];
    struct race_held *held;     /* race_held.c; NULL: it was not needed */
    uint32_t lockset_since;     /* the clock of the latest entry of its lock history; 0: there is none */
    uint32_t lockset;           /* its id; race_lock_history.h's UNKNOWN if it is not known */
    uint32_t learned_at;        /* the clock when known grew last */
    struct race_sync *only;     /* the one place where the last value was published, race_atomic.c; NULL: elsewhere, too */
    struct clock known;         /* what it has seen of the others; its own place may lag: epoch is the truth */
    uint32_t from_slot, from_value;   /* who published this value of that slot knew all of `known`; value 0: that is not so */
    struct clock spawned;       /* what the last child was given, when spawned_value was published */
    uint32_t spawned_value;
    struct clock fence_acquire; /* what its relaxed loads saw since: an acquire fence makes it known */
    struct clock fence_release; /* what it knew at its last release fence; relaxed stores publish it */
    uint32_t fence_slot, fence_value;   /* and what this fence published; value 0: there was none */
    struct race_sync *noted;    /* what its last load that had to lock found, in that version (race_sync_is_settled), was learned, or only noted above */
    uint64_t noted_version;
    bool noted_is_known;
    uint32_t noted_left;        /* the value that it left there; 0: it is not known to be part of that version */
    struct race_who *who;
    struct race_g *next;        /* free list */
    uint32_t seen_slot, seen_clock;   /* race_access.c: the last answer of `known` that was yes; true for good, as knowledge only grows */
};

/* ---- race_g.c ---- */

/* The one that the calling thread runs. &race_ignored: the runtime or the detector itself is at work, nothing is checked. NULL: a thread not
 * seen before. */
extern _Thread_local struct race_g *race_cur_tls __attribute__((tls_model("local-exec")));
extern struct race_g race_ignored;
struct race_g *race_attach(void);
/* The calling thread is one that libc made: its stack begins a new life, it ends by itself (race_posix_threads.c). */
void race_thread_attached(struct race_g *g);
/* An address at which is released what happens before threads that libc makes by itself: race_attach acquires it. */
extern const uint64_t race_libc_threads;
static inline struct race_g *race_cur(void)
{
    struct race_g *g = race_cur_tls;
    return race_likely(g != NULL) ? g : race_attach();
}
/* A bit of `disabled`: a signal was deferred (race_signal.c), and comes where the detector is entered the next time. The hooks see it in the look that they
 * take at `disabled` anyway. */
enum { SIGNAL_WAITS = 1 << 30 };
/* Whether g is nobody of the program's: what it does orders nothing and holds nothing. */
static inline bool race_is_nobody(const struct race_g *g)
{
    return g == NULL || g == &race_ignored;
}
/* Whether g's accesses are not checked. */
static inline bool race_is_off(const struct race_g *g)
{
    return (g->disabled & ~(uint32_t)SIGNAL_WAITS) != 0;
}
/* The same, for a hook that has not begun: deferred signals come first, and g's epoch may be a new one then. */
bool race_signals_come(struct race_g *g);
static inline bool race_hook_is_off(struct race_g *g)
{
    return race_unlikely(g->disabled) && race_signals_come(g);
}
/* A new race_g; parent's past happens before it (NULL: nothing's). at: where, room enough until its end; NULL: in memory of its own. */
struct race_g *race_g_new_at(void *at, struct race_g *parent);
static inline struct race_g *race_g_new(struct race_g *parent)
{
    return race_g_new_at(NULL, parent);
}
void race_g_end(struct race_g *g);
void race_g_move(struct race_g *g);   /* to another slot, after two thousand million releases */
static inline void race_g_new_epoch(struct race_g *g)
{
    g->epoch = epoch_make(g->slot, g->clock);
    g->epoch_of_read = g->epoch | (uint64_t)0xff << MASK_SHIFT;
    g->epoch_of_write = g->epoch_of_read | EPOCH_WRITE;
}
/* A release: all that g did so far is known to who knows this value of its slot. race_g_publish, after it was left somewhere: what follows is a new epoch. */
static inline __attribute__((always_inline)) void race_g_tick(struct race_g *g)
{
    g->recorded = false;
    if (race_unlikely(++g->clock == CLOCK_MAX))
        race_g_move(g);
    else
        race_g_new_epoch(g);
}
static inline uint32_t race_g_value(const struct race_g *g)
{
    return g->clock - !(g->recorded || g->learned_at == g->clock);
}
static inline void race_g_publish(struct race_g *g)
{
    g->only = NULL;
    if (g->recorded || g->learned_at == g->clock)
        race_g_tick(g);
}
/* After g->known grew, by what may come from several places. */
static inline void race_g_learned(struct race_g *g)
{
    g->learned_at = g->clock;
    g->from_value = 0;
}
/* g learns what was known elsewhere. */
static inline void race_g_learn(struct race_g *g, const struct clock *c)
{
    if (clock_join(&g->known, c, false))
        race_g_learned(g);
}
/* Whether all that g knows is in what `slot` left with `value`: that was g, and it has learned nothing since. */
static inline bool race_g_has_left_all(const struct race_g *g, uint32_t slot, uint32_t value)
{
    return slot == g->slot && value >= g->learned_at;
}
/* g learns what was known when `slot` published that value, and the value. Costs a reference where all that g knows is known there. */
void race_g_learn_published(struct race_g *g, const struct clock *known, uint32_t slot, uint32_t value);
/* Whether `known`, which may be a part of what is known somewhere, is enough to say that all that g knows is known there. */
bool race_g_is_within(const struct race_g *g, const struct clock *known);
/* A copy of what is known of who used the slot at that clock, and the id of the lockset that it held then. False: forgotten. */
bool race_who_read(uint32_t slot, uint32_t clock, struct race_who *out, uint32_t *lockset);
/* Whose stack addr lies on: a running one's, else the latest. */
bool race_who_of_stack(uintptr_t addr, struct race_who *out);
bool race_who_of_main(struct race_who *out);
/* The thread whose thread-local variables addr may be among: the one whose thread pointer is next above. */
bool race_who_of_thread_local(uintptr_t addr, struct race_who *out);
/* Of no slot, as none has number 0, so it happened before nothing: memory that was freed, with the free's node and pc (race_access_freed). */
#define EPOCH_FREED (epoch_make(0, 1) | (uint64_t)0xff << MASK_SHIFT | EPOCH_WRITE)
/* Whether what e says happened before g's present. */
static inline bool race_before(const struct race_g *g, uint64_t e)
{
    return epoch_slot(e) == g->slot || clock_get(&g->known, epoch_slot(e)) >= epoch_clock(e);
}
/* Detector hooks are off on this thread between these; they nest. */
void race_ignore_begin(void);
void race_ignore_end(void);

/* ---- race_access.c ---- */

void race_access(struct race_g *g, uintptr_t addr, unsigned size, unsigned kind, uintptr_t pc);   /* size 1..8 within one word; kind: EPOCH_* bits */
void race_access_range(struct race_g *g, uintptr_t addr, size_t n, unsigned kind, uintptr_t pc);
/* g frees [addr, addr + n), whole words: a write; and whoever accesses it before its next life uses freed memory. */
void race_access_freed(struct race_g *g, uintptr_t addr, size_t n, uintptr_t pc);
/* The words of [addr, addr + n) begin a life with g, by its call at pc: whoever accesses them unordered with that is told (not if g is
 * not checked, or memory is short). What was known of them goes. */
void race_access_born(struct race_g *g, uintptr_t addr, size_t n, uintptr_t pc);

/* ---- race_sync.c ---- (g NULL or &race_ignored: nothing happens) */

void race_acquire(struct race_g *g, const void *addr);
void race_release(struct race_g *g, const void *addr);
void race_release_merge(struct race_g *g, const void *addr);
/* As race_release_merge, of what many release side by side, and few acquire (never by race_acquire_held): they don't wait for each other. */
void race_release_part(struct race_g *g, const void *addr);
/* Acquire and release while g holds what addr stands for: nobody else acquires or releases it. */
void race_acquire_held(struct race_g *g, const void *addr);
void race_release_held(struct race_g *g, const void *addr);
void race_sync_forget(uintptr_t addr, size_t n);

/* ---- race_report.c: see race_report.h ---- */

struct race_side {
    uint64_t epoch;         /* mask, write, atomic */
    uint32_t node, pc;      /* packed */
};
/* old is in the shadow word at addr (8-aligned), now is what g is about to do. */
void race_report(struct race_g *g, uintptr_t addr, struct race_side old, struct race_side now);

#endif
