/* Whose turn it is at a shadow word, without locked instructions: regions of the program's memory are *biased* to a thread.
 *
 * Most memory is accessed by one thread at a time, for a long time. So each 4 KiB of the program's memory has an owner, the first thread that recorded
 * an access there, and the owner changes the region's shadow words by plain loads and stores. Another thread takes the region away first, and pays for
 * both. Where threads keep taking a region from each other it becomes *shared*: then words are locked one by one.
 *
 *   owner, for each change (bias_enter)          another thread (bias_settle)
 *   1. busy = region                             1. owner: the thread -> MOVING, by compare-and-swap
 *   2. compiler barrier                          2. membarrier: a full barrier in every thread
 *   3. if owner is not me: busy = none, and      3. waits while that thread's busy is the region (acquire)
 *      the way of another thread                 4. owner = me, or SHARED
 *   4. the change, plain
 *   5. busy = none (release)
 *
 * If the other one reads busy != region in 3, the owner had not stored it before the membarrier, so the owner's load in 3 comes after it, sees MOVING and
 * gives way. While the owner is busy it waits for nothing that a thread in bias_settle may hold: no lock of a word, of synchronization or of a report.
 *
 * In a shared region the word's own lock excludes others. A thread may become the owner of a shared region (bias_sample) while another holds a word's
 * lock there. So whoever has locked (a compare-and-swap, a full barrier) looks at the region again, and goes on only if it has not moved since before
 * the lock; and whoever takes a region does it by a compare-and-swap too, and then takes no word that it finds locked, but gets in line for the lock. Of
 * the two full barriers one comes first: either the one sees the lock, or the other sees the owner.
 *
 * That the region is shared again is not enough: in between it may have had an owner, who saw no lock yet and overwrote it, and from whom it was taken
 * since. Each time a region is taken from its owner its count of moves grows, and at the last count it has no owner any more: so the same owner and the
 * same moves mean that there was no other. Who has locked in vain takes the lock off by a compare-and-swap, as an owner may have overwritten it, and others
 * may have locked the word after that. So a lock says whose it is (shadow_lock): an epoch may come back, with another's lock.
 *
 * tests/spin/race_bias.pml is a model of all this, which is searched exhaustively, with and without each of these steps.
 *
 * A region that was taken away more than MOVES_MAX times is shared, and with it those behind it when another thread comes there, some more each time: they are
 * of one array, which threads work on side by side. A shared region becomes somebody's again when one thread was there often enough without a look elsewhere
 * (bias_sample counts on the thread's side: a note in the region would be one more line for threads to fight for). How often that is depends on how long the
 * region stayed with those that had it so: where each was soon disturbed, twice as often each time; where goroutines have a lock in turn, each for a while,
 * a move, which costs some microseconds, is less than what locking each word costs meanwhile. At its last move, some 2^28, a region is shared for ever.
 * Without membarrier (Linux 4.14) nothing is biased. */
#ifndef RACE_BIAS_H
#define RACE_BIAS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { BIAS_BITS = 12, BIAS_THREADS = 1 << 14 };
enum { BIAS_NONE = 0, BIAS_NOBODY = 0xfffd, BIAS_MOVING = 0xfffe, BIAS_SHARED = 0xffff, BIAS_OWNER = 0xffff };

/* How often a thread was sampled in a shared region. */
struct bias_visits {
    uintptr_t region;
    uint32_t n;
};
enum { BIAS_VISITED = 4 };

/* A thread as owner. Never freed: a later thread of the same number owns what the former one did. */
struct bias_thread {
    _Atomic(uintptr_t) busy;   /* the region that it is changing; 0: none */
    uint32_t id;               /* BIAS_NOBODY: owns nothing */
    uint32_t samples;
    uintptr_t taken_to;        /* the region after the last one that it took from another */
    uint32_t taken;            /* and how many it took then */
    struct bias_thread *next;  /* free list */
    struct bias_visits visits[BIAS_VISITED];   /* by the region's number */
} __attribute__((aligned(64)));

/* What threads divide among themselves has so many parts; those whose numbers differ by as many have one in common. */
enum { BIAS_PARTS = 16 };

extern struct bias_thread bias_nobody;
extern _Thread_local struct bias_thread *bias_me __attribute__((tls_model("local-exec")));
static inline unsigned bias_part(void)   /* the calling thread's */
{
    return bias_me->id % BIAS_PARTS;
}
/* For each region a word: owner | marks of the shadow's, one for each KiB | since when it is the owner's (race_bias.c) | level: 2^level samples make a thread
 * the owner | moves, how often it was taken away. bias_of is NULL before shadow_start. */
typedef uint64_t bias_word;
extern _Atomic(bias_word) *bias_of;
enum { BIAS_MARKS_SHIFT = 16, BIAS_MARKS = 15, BIAS_SINCE_SHIFT = 20, BIAS_SINCE = 4095, BIAS_LEVEL_SHIFT = 32, BIAS_LEVEL = 15, BIAS_MOVES_SHIFT = 36 };
#define BIAS_MOVES (~(bias_word)0 >> BIAS_MOVES_SHIFT)   /* the most; then it is shared for ever */

void bias_start(void);
/* The calling thread ends: what it owns waits for the next thread of its number. */
void bias_thread_end(void);

/* Whether addr is a program's address, of which there is a region. What is synchronized by may be any number. */
static inline bool bias_covers(uintptr_t addr)
{
    return addr >> 47 == 0;
}

static inline uint32_t bias_owner(uintptr_t region)
{
    return (uint32_t)(atomic_load_explicit(&bias_of[region], memory_order_relaxed) & BIAS_OWNER);
}

/* True: the caller may change what is not locked in the region of addr, until bias_leave. *word: the region's. */
static inline __attribute__((always_inline)) bool bias_enter(struct bias_thread *me, uintptr_t addr, bias_word *word)
{
    atomic_store_explicit(&me->busy, addr >> BIAS_BITS, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);   /* the other side's membarrier makes it a real one */
    *word = atomic_load_explicit(&bias_of[addr >> BIAS_BITS], memory_order_acquire);   /* before a lock is taken (bias_allows) */
    if (__builtin_expect((*word & BIAS_OWNER) == me->id, 1)) {
        atomic_signal_fence(memory_order_seq_cst);
        return true;
    }
    atomic_store_explicit(&me->busy, 0, memory_order_relaxed);
    return false;
}

static inline __attribute__((always_inline)) void bias_leave(struct bias_thread *me)
{
    atomic_store_explicit(&me->busy, 0, memory_order_release);
}

/* Sees to it that the region of addr is the caller's (true) or shared. *first: it had been nobody's. May wait for other threads' changes: not between
 * bias_enter and bias_leave. */
bool bias_settle(uintptr_t addr, bool *first);
/* After a lock was taken in the region of addr: whether it excludes all others. If not, it has to be given back, and bias_settle is due.
 * before: the region's word, read before the lock was taken: it was shared, or the caller's. */
static inline bool bias_allows(uintptr_t addr, bias_word before)
{
#if !defined __x86_64__
    atomic_thread_fence(memory_order_seq_cst);   /* there the lock's own instruction is one */
#endif
    bias_word now = atomic_load_explicit(&bias_of[addr >> BIAS_BITS], memory_order_acquire);
    return !((now ^ before) & (BIAS_OWNER | BIAS_MOVES << BIAS_MOVES_SHIFT));
}
/* The caller has changed something in a shared region, and holds nothing there any more. */
void bias_sample_slow(uintptr_t addr);
static inline void bias_sample(struct bias_thread *me, uintptr_t addr)
{
    enum { PERIOD = 16 };
    if (__builtin_expect(++me->samples % PERIOD == 0, 0))
        bias_sample_slow(addr);
}

#endif
