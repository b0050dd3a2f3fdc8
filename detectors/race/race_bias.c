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

enum { MOVES_MAX = 2, MOVES_FOUGHT_FOR = MOVES_MAX + 1, TAKE_MAX = 64 };
static const bias_word MARKS = (bias_word)BIAS_MARKS << BIAS_MARKS_SHIFT;

/* Time is in 2^SINCE_UNIT ticks of the processor's clock, some 0.4 us, modulo BIAS_SINCE + 1. A thread that had a region for so LONG, and several times as long
 * as a move takes here (PAYS), had enough of it to pay for the move. (After a millisecond or two that may be told wrongly: then it takes the next one twice as
 * many samples, once.) */
enum { SINCE_UNIT = 10, LONG = 80, PAYS = 8, COST_MAX = 256, LEVEL_FIRST = 3 };
static _Atomic(uint32_t) barrier_cost;   /* of late; it interrupts all processors that run the program's threads */

struct bias_thread bias_nobody = {.id = BIAS_NOBODY};
_Thread_local struct bias_thread *bias_me __attribute__((tls_model("local-exec"))) = &bias_nobody;
_Atomic(bias_word) *bias_of;

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
    uint64_t from = __builtin_ia32_rdtsc();
    if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) != 0 &&
        (!registered() || syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) != 0))
        race_die("the kernel refuses membarrier(), which it allowed before: if this is a seccomp filter of the program's, it must allow membarrier");
    uint64_t cost = (__builtin_ia32_rdtsc() - from) >> SINCE_UNIT;
    uint32_t before = atomic_load_explicit(&barrier_cost, memory_order_relaxed);
    atomic_store_explicit(&barrier_cost, (before * 3 + (uint32_t)(cost < COST_MAX ? cost : COST_MAX)) / 4, memory_order_relaxed);
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

static bool set(uintptr_t region, bias_word *from, bias_word to)
{
    return atomic_compare_exchange_strong_explicit(&bias_of[region], from, to, memory_order_seq_cst, memory_order_relaxed);
}

static bias_word now(void)
{
    return __builtin_ia32_rdtsc() >> SINCE_UNIT & BIAS_SINCE;
}

static bias_word moves_of(bias_word word)
{
    return word >> BIAS_MOVES_SHIFT;
}

static uint32_t level_of(bias_word word)
{
    uint32_t level = word >> BIAS_LEVEL_SHIFT & BIAS_LEVEL;
    return level ? level : LEVEL_FIRST;
}

/* After the owner lost the region. */
static uint32_t level_next(bias_word word)
{
    uint32_t level = level_of(word);
    uint64_t had = (now() - (word >> BIAS_SINCE_SHIFT)) & BIAS_SINCE;
    if (had >= LONG && had >= (uint64_t)PAYS * atomic_load_explicit(&barrier_cost, memory_order_relaxed))
        return level > LEVEL_FIRST ? level - 1 : LEVEL_FIRST;
    return level < BIAS_LEVEL ? level + 1 : BIAS_LEVEL;
}

/* Of a shared region of these moves, but for its marks. */
static bias_word shared(bias_word moves, uint32_t level)
{
    return moves << BIAS_MOVES_SHIFT | (bias_word)level << BIAS_LEVEL_SHIFT | BIAS_SHARED;
}

/* A moving region's owner is the caller's to set; its marks may be taken off meanwhile. */
static void moved(struct bias_thread *me, uintptr_t region, bool share)
{
    bias_word word = atomic_load_explicit(&bias_of[region], memory_order_relaxed), moves, to;
    do {
        moves = moves_of(word) < BIAS_MOVES ? moves_of(word) + 1 : BIAS_MOVES;
        if (share && moves < MOVES_FOUGHT_FOR)
            moves = MOVES_FOUGHT_FOR;
        if (!share && moves <= MOVES_MAX && me->id != BIAS_NOBODY)
            to = moves << BIAS_MOVES_SHIFT | me->id;
        else
            to = shared(moves, moves > MOVES_FOUGHT_FOR ? level_next(word) : LEVEL_FIRST);
    } while (!set(region, &word, to | (word & MARKS)));
}

/* How many regions before this one are shared, up to TAKE_MAX: then this one, of the same array, will be too. */
static uint32_t shared_before(uintptr_t region)
{
    uint32_t n = 0;
    while (n < TAKE_MAX && n < region && (atomic_load_explicit(&bias_of[region - 1 - n], memory_order_relaxed) & BIAS_OWNER) == BIAS_SHARED)
        n++;
    return n;
}

/* What a region that nobody had yet becomes. */
static bias_word first_owner(const struct bias_thread *me, uintptr_t region, bias_word word)
{
    if (region == 0)   /* busy == 0 is `none`: whoever took it away would wait for a thread that is not busy at all */
        return (word & MARKS) | shared(BIAS_MOVES, BIAS_LEVEL);
    if (shared_before(region))
        return (word & MARKS) | shared(MOVES_FOUGHT_FOR, LEVEL_FIRST);
    return word | (is_possible && me->id != BIAS_NOBODY ? me->id : BIAS_SHARED);
}

static bool is_somebodys(bias_word word)
{
    uint32_t owner = (uint32_t)(word & BIAS_OWNER);
    return owner != BIAS_NONE && owner < BIAS_NOBODY;
}

/* Takes region, seen to be another's, and those after it: more each time it goes on where it left off, or where the threads share what lies before. In the
 * first case they become the caller's, as far as they are the same thread's; in the second shared, whoever has them. */
static void take_away(struct bias_thread *me, uintptr_t region, bias_word word)
{
    uint32_t share = shared_before(region), most = share ? share : region == me->taken_to ? me->taken * 2 : 1, n = 0;
    struct bias_thread *from[TAKE_MAX];
    most = most > TAKE_MAX ? TAKE_MAX : most;
    for (; n < most && region + n < 1ul << (47 - BIAS_BITS); n++) {
        if (n > 0)
            word = atomic_load_explicit(&bias_of[region + n], memory_order_relaxed);
        if (!is_somebodys(word) || (n > 0 && !share && &threads[word & BIAS_OWNER] != from[0]) ||
            !set(region + n, &word, BIAS_MOVING | (word & ~(bias_word)BIAS_OWNER)))
            break;
        from[n] = &threads[word & BIAS_OWNER];
    }
    if (n == 0)
        return;
    barrier();
    for (uint32_t i = 0; i < n; i++)
        for (unsigned spins = 0; atomic_load_explicit(&from[i]->busy, memory_order_acquire) == region + i; spins++) {
            if (spins < 100)
                __builtin_ia32_pause();
            else
                sched_yield();
        }
    for (uint32_t i = 0; i < n; i++)
        moved(me, region + i, share);
    if (me->id != BIAS_NOBODY && !share) {
        me->taken_to = region + n;
        me->taken = most;
    }
}

bool bias_settle(uintptr_t addr, bool *first)
{
    uintptr_t region = addr >> BIAS_BITS;
    if (race_unlikely(bias_me == &bias_nobody))
        bias_me = thread_new();
    struct bias_thread *me = bias_me;
    *first = false;
    for (unsigned spins = 0;; spins++) {
        bias_word word = atomic_load_explicit(&bias_of[region], memory_order_acquire);
        uint32_t owner = (uint32_t)(word & BIAS_OWNER);
        if (owner == BIAS_SHARED)
            return false;
        if (owner == BIAS_NONE)
            *first = set(region, &word, first_owner(me, region, word));
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

/* Others may have been there meanwhile: then the region will soon be taken away again, and its level tell of it. */
void bias_sample_slow(uintptr_t addr)
{
    struct bias_thread *me = bias_me;
    uintptr_t region = addr >> BIAS_BITS;
    bias_word word = atomic_load_explicit(&bias_of[region], memory_order_relaxed);
    if ((word & BIAS_OWNER) != BIAS_SHARED || !is_possible || me->id == BIAS_NOBODY || moves_of(word) == BIAS_MOVES)
        return;
    struct bias_visits *v = &me->visits[region % BIAS_VISITED];
    if (v->region != region)
        *v = (struct bias_visits){region, 0};
    if (++v->n < 1u << level_of(word))
        return;
    v->n = 0;
    set(region, &word, (word & ~(bias_word)(BIAS_OWNER | (bias_word)BIAS_SINCE << BIAS_SINCE_SHIFT)) | now() << BIAS_SINCE_SHIFT | me->id);
}
