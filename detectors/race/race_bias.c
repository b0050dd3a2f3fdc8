/* Owners of regions: taking, giving up, sharing. See race_bias.h. */
#define _GNU_SOURCE
#include "race_bias.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "race.h"
#include "race_alloc.h"
#include "race_die.h"
#include "race_spin.h"

enum { MOVES_MAX = 2, TAKE_MAX = 64 };
static const uint32_t MARKS = (uint32_t)BIAS_MARKS << BIAS_MARKS_SHIFT;

struct bias_thread bias_nobody = {.id = BIAS_NOBODY};
_Thread_local struct bias_thread *bias_me __attribute__((tls_model("local-exec"))) = &bias_nobody;
_Atomic(uint32_t) *bias_of;

static struct bias_thread threads[BIAS_THREADS];   /* [0] is nobody's */
static struct bias_thread ended = {.id = BIAS_NOBODY};
static struct bias_thread *unused;                 /* under lock */
static uint32_t nthreads = 1;                      /* under lock */
static atomic_flag lock;
static bool is_possible;

static void lock_threads(void)
{
    race_spin_lock(&lock);
}

static void unlock_threads(void)
{
    race_spin_unlock(&lock);
}

static bool registered(void)
{
    return syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
}

void bias_start(void)
{
    size_t bytes = (1ul << (47 - BIAS_BITS)) * sizeof *bias_of;
    int saved = errno;
    bias_of = race_map(bytes);
    madvise((void *)(uintptr_t)bias_of, bytes, MADV_DONTDUMP);
    is_possible = registered();
    errno = saved;
}

/* A forked child registers again, if the kernel wants it. */
static void barrier(void)
{
    int saved = errno;
    if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) != 0 &&
        (!registered() || syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) != 0))
        race_die("the kernel refuses membarrier(), which it allowed before: if this is a seccomp filter of the program's, it must allow membarrier");
    errno = saved;
}

static struct bias_thread *thread_new(void)
{
    lock_threads();
    struct bias_thread *t = unused;
    if (t) {
        unused = t->next;
    } else if (nthreads < BIAS_THREADS) {
        t = &threads[nthreads];
        t->id = nthreads++;
    } else {
        t = &ended;
    }
    unlock_threads();
    return t;
}

void bias_thread_end(void)
{
    struct bias_thread *me = bias_me;
    bias_me = &ended;
    if (me->id == BIAS_NOBODY)
        return;
    lock_threads();
    me->next = unused;
    unused = me;
    unlock_threads();
}

static bool set(uintptr_t region, uint32_t *from, uint32_t to)
{
    return atomic_compare_exchange_strong_explicit(&bias_of[region], from, to, memory_order_seq_cst, memory_order_relaxed);
}

static uint32_t moves_of(uint32_t word)
{
    return word >> BIAS_MOVES_SHIFT & BIAS_MOVES;
}

/* A moving region's owner is the caller's to set; its marks may be taken off meanwhile. */
static void moved(struct bias_thread *me, uintptr_t region)
{
    uint32_t word = atomic_load_explicit(&bias_of[region], memory_order_relaxed), moves, owner;
    do {
        moves = moves_of(word) < BIAS_SETTLED ? moves_of(word) + 1 : BIAS_SETTLED;
        owner = moves <= MOVES_MAX && me->id != BIAS_NOBODY ? me->id : BIAS_SHARED;
    } while (!set(region, &word, owner | moves << BIAS_MOVES_SHIFT | (word & MARKS)));
}

/* Takes region, seen to be another's, and those after it that are the same thread's: more each time it goes on where it left off. */
static void take_away(struct bias_thread *me, uintptr_t region, uint32_t word)
{
    struct bias_thread *from = &threads[word & BIAS_OWNER];
    uint32_t most = region == me->taken_to ? me->taken * 2 : 1, n = 0;
    most = most > TAKE_MAX ? TAKE_MAX : most;
    for (; n < most && region + n < 1ul << (47 - BIAS_BITS); n++) {
        if (n > 0)
            word = atomic_load_explicit(&bias_of[region + n], memory_order_relaxed);
        if ((word & BIAS_OWNER) != from->id || !set(region + n, &word, BIAS_MOVING | (word & ~(uint32_t)BIAS_OWNER)))
            break;
    }
    if (n == 0)
        return;
    barrier();
    for (unsigned spins = 0; atomic_load_explicit(&from->busy, memory_order_acquire) - region < n; spins++) {
        if (spins < 100)
            __builtin_ia32_pause();
        else
            sched_yield();
    }
    for (uint32_t i = 0; i < n; i++)
        moved(me, region + i);
    if (me->id != BIAS_NOBODY) {
        me->taken_to = region + n;
        me->taken = most;
    }
}

/* Whether the region before has been taken away so often that it is shared: then this one, of the same array, will be too. */
static bool follows_shared(uintptr_t region)
{
    uint32_t before = region > 0 ? atomic_load_explicit(&bias_of[region - 1], memory_order_relaxed) : 0;
    return (before & BIAS_OWNER) == BIAS_SHARED;
}

bool bias_settle(uintptr_t addr, bool *first)
{
    uintptr_t region = addr >> BIAS_BITS;
    if (race_unlikely(bias_me == &bias_nobody))
        bias_me = thread_new();
    struct bias_thread *me = bias_me;
    *first = false;
    for (unsigned spins = 0;; spins++) {
        uint32_t word = atomic_load_explicit(&bias_of[region], memory_order_acquire), owner = word & BIAS_OWNER;
        if (owner == BIAS_SHARED)
            return false;
        if (owner == BIAS_NONE)
            *first = set(region, &word, word | (is_possible && me->id != BIAS_NOBODY && !follows_shared(region) ? me->id : BIAS_SHARED));
        else if (owner == me->id)
            return true;
        else if (owner != BIAS_MOVING)
            take_away(me, region, word);
        else if (spins < 100)
            __builtin_ia32_pause();
        else
            sched_yield();
    }
}

/* One thread alone, several times in a row: it becomes the owner. */
void bias_sample_slow(uintptr_t addr)
{
    struct bias_thread *me = bias_me;
    uint32_t word = atomic_load_explicit(&bias_of[addr >> BIAS_BITS], memory_order_relaxed);
    if ((word & BIAS_OWNER) != BIAS_SHARED || !is_possible || me->id == BIAS_NOBODY || moves_of(word) >= BIAS_SETTLED)
        return;
    uint32_t alone = (word >> BIAS_LAST_SHIFT & BIAS_LAST) == (me->id & BIAS_LAST) ? (word >> BIAS_ALONE_SHIFT) + 1 : 1;
    uint32_t kept = word & (MARKS | BIAS_MOVES << BIAS_MOVES_SHIFT);
    if (alone >= 1u << moves_of(word))
        set(addr >> BIAS_BITS, &word, me->id | kept);
    else
        set(addr >> BIAS_BITS, &word, BIAS_SHARED | kept | (me->id & BIAS_LAST) << BIAS_LAST_SHIFT | alone << BIAS_ALONE_SHIFT);
}
