/* Stacks of goroutines: slices of large mappings, committed as they are touched, each with a guard at its low end. They are
 * never unmapped: a finished goroutine keeps its stack for the next one (g.c), so this file only ever grows.
 *
 * Layout of a slice, low to high: guard, stack, what the detector has there (hooks.h), colour. The colour is a varying number of unused cache lines at the top:
 * if all stacks began at the same offset in their pages, the hot frames of a thousand goroutines would compete for a
 * few cache sets (34 ns a switch against 26). It stays well within one page, so a parked goroutine still touches one. */
#include "internal.h"
#include "note.h"
#include "os.h"

/* Valgrind is told of stacks, or it would take a switch for a very large frame. Its requests are a few instructions without effect elsewhere. */
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#else
#define VALGRIND_MAKE_MEM_UNDEFINED(p, n) ((void)(p), (void)(n), 0u)
#define VALGRIND_STACK_REGISTER(lo, hi) ((void)(lo), (void)(hi), 0u)
#define VALGRIND_STACK_DEREGISTER(id) ((void)(id))
#define RUNNING_ON_VALGRIND 0
#endif

enum { COLOURS = 24, BATCH = 64, SMALL_BATCH = 16, PLENTY = 1024, AHEAD = 512, READY_MAX = 1024 };

static struct {
    struct lock lock;             /* rank STACK; guards all */
    char *slab;                   /* the mapping that is being cut */
    unsigned next, end;           /* its next slice; how many it has */
    unsigned count;               /* stacks handed out */
    unsigned nready;
    unsigned nclaimed;            /* slices that somebody gets ready, for `ready`: nready + nclaimed <= READY_MAX */
    char *ready[READY_MAX];       /* slices that have their guard: last in, first out */
    bool maker_asked;             /* it was started, or can't be */
    struct note maker_note;
} stacks = {.lock = LOCK_INIT(STACK)};
static atomic_bool maker_runs;
static atomic_bool wanted;        /* (relaxed: a hint) goroutines are started by the thousand, and few slices are ready */

/* A few slices in a row, to be got ready by whoever claimed them. */
struct claim {
    char *first;
    unsigned n;
    bool commit;
};

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* A new slab, as large as what there is already: to map is to wait until no other thread has a page fault or gets stacks ready, and none can while we
 * wait. Where address space is short, the smallest slab may still be had. */
static bool slab_new_locked(void)
{
    unsigned n = stacks.count > RT_STACKS_PER_SLAB ? least(stacks.count, RT_STACKS_PER_SLAB_MAX) : RT_STACKS_PER_SLAB;
    char *slab = os_map((size_t)n * RT_STACK_BYTES);
    if (!slab && n > RT_STACKS_PER_SLAB)
        slab = os_map((size_t)(n = RT_STACKS_PER_SLAB) * RT_STACK_BYTES);
    if (!slab)
        return false;
    stacks.slab = slab;
    stacks.next = 0;
    stacks.end = n;
    return true;
}

/* Claims up to `most` slices, which the caller gets ready, and all but `own` of them puts. */
static bool claim_locked(struct claim *c, unsigned most, unsigned own)
{
    if (stacks.next == stacks.end && !slab_new_locked())
        return false;
    /* Half as many as there are stacks already, so that few goroutines cost little. */
    unsigned n = least(least(stacks.count / 2 + 1, most), least(stacks.end - stacks.next, READY_MAX - stacks.nready - stacks.nclaimed + own));
    if (RUNNING_ON_VALGRIND)   /* which doesn't know the call, and says so */
        n = 1;
    *c = (struct claim){stacks.slab + (size_t)stacks.next * RT_STACK_BYTES, n, stacks.count >= PLENTY && n > 1};
    stacks.next += n;
    stacks.nclaimed += n - own;
    return true;
}

/* Many with one system call: a guard costs 0.5 us instead of 1.5, the page that a stack begins in 1.8 instead of 3. Without the lock: that is most of
 * what a new goroutine costs, and several threads do it at the same time. */
static bool prepare(const struct claim *c)
{
    if (os_guard_many(c->first, RT_STACK_BYTES, c->n, RT_STACK_GUARD_BYTES) < 0)
        return false;
    if (c->commit)
        os_commit_many(c->first + RT_STACK_BYTES - OS_PAGE, RT_STACK_BYTES, c->n, OS_PAGE);
    return true;
}

/* Slices that can't get their guard (the process may have no more mappings) are lost: address space only. */
static void put(const struct claim *c, unsigned own, bool ok)
{
    lock(&stacks.lock);
    for (unsigned i = c->n; ok && i-- > own;)
        stacks.ready[stacks.nready++] = c->first + (size_t)i * RT_STACK_BYTES;
    stacks.nclaimed -= c->n - own;
    unlock(&stacks.lock);
}

/* ---- ahead of those who start goroutines by the thousand ----
 * Most of what a new goroutine costs is its stack's first page. The Ms that look for work get stacks ready meanwhile; where there are more processors
 * than Ps, a thread does that has nothing else to do. (One more thread than processors would only take turns with those who start and run goroutines.) */

static bool make_some(unsigned most)
{
    lock(&stacks.lock);
    struct claim c;
    bool more = stacks.nready + stacks.nclaimed < AHEAD && claim_locked(&c, most, 0);
    if (!more)
        atomic_store_explicit(&wanted, false, memory_order_relaxed);
    unlock(&stacks.lock);
    if (!more)
        return false;
    bool ok = prepare(&c);
    put(&c, 0, ok);
    return ok;
}

bool stack_make_some(void)
{
    return rt_unlikely(atomic_load_explicit(&wanted, memory_order_relaxed)) && make_some(SMALL_BATCH);
}

static void maker_main(void *arg)
{
    (void)arg;
    os_block_signals();
    atomic_store_explicit(&maker_runs, true, memory_order_release);
    for (;;)
        if (!make_some(BATCH))
            note_sleep(&stacks.maker_note, -1);
}

int stack_maker_threads(void)
{
    return atomic_load_explicit(&maker_runs, memory_order_acquire);
}

/* Few are ready. */
static rt_noinline void want_more(void)
{
    atomic_store_explicit(&wanted, true, memory_order_relaxed);
    if (atomic_load_explicit(&sched.nprocs, memory_order_relaxed) >= os_ncpu() || RUNNING_ON_VALGRIND)
        return;
    lock(&stacks.lock);
    bool start = !stacks.maker_asked;
    stacks.maker_asked = true;
    unlock(&stacks.lock);
    if (start)
        os_thread_start(maker_main, NULL, RT_THREAD_STACK_BYTES);   /* without it we make them all ourselves */
    else
        note_wake(&stacks.maker_note);
}

/* ---- taking ---- */

/* The stack that is taken next: its first frame is written at once, and the page has just been made, by another thread perhaps. */
static void prefetch_top(const char *hi)
{
    enum { FRAME = 256 + HOOK_STACK_BYTES };
    for (unsigned below = RT_CACHE_LINE; below <= FRAME; below += RT_CACHE_LINE)
        __builtin_prefetch(hi - below, 1);
}

bool stack_alloc(uintptr_t *lo, uintptr_t *hi)
{
    char *s;
    lock(&stacks.lock);
    bool none = stacks.nready == 0;
    if (!none) {
        s = stacks.ready[--stacks.nready];
    } else {
        struct claim c;
        bool ok = claim_locked(&c, BATCH, 1);
        unlock(&stacks.lock);
        if (!ok)
            return false;
        ok = prepare(&c);
        put(&c, 1, ok);
        if (!ok)
            return false;
        s = c.first;
        lock(&stacks.lock);
    }
    *lo = (uintptr_t)s + RT_STACK_GUARD_BYTES;
    *hi = (uintptr_t)s + RT_STACK_BYTES - stacks.count++ % COLOURS * RT_CACHE_LINE - HOOK_STACK_BYTES;
    if (stacks.nready > 0)
        prefetch_top(stacks.ready[stacks.nready - 1] + RT_STACK_BYTES - stacks.count % COLOURS * RT_CACHE_LINE);
    bool few = stacks.count >= PLENTY && (none || (stacks.nready <= AHEAD / 2 && !atomic_load_explicit(&wanted, memory_order_relaxed)));
    unlock(&stacks.lock);
    (void)VALGRIND_STACK_REGISTER(*lo, s + RT_STACK_BYTES);
    if (rt_unlikely(few))
        want_more();
    return true;
}

bool stack_alloc_sized(size_t bytes, uintptr_t *lo, uintptr_t *hi, uint32_t *id)
{
    if (bytes > SIZE_MAX / 2)
        return false;
    size_t total = (bytes + 4095) / 4096 * 4096 + RT_STACK_GUARD_BYTES;
    char *p = os_map(total);
    if (!p)
        return false;
    if (os_guard(p, RT_STACK_GUARD_BYTES) < 0) {
        os_unmap(p, total);
        return false;
    }
    *lo = (uintptr_t)p + RT_STACK_GUARD_BYTES;
    *hi = (uintptr_t)p + total;
    *id = VALGRIND_STACK_REGISTER(*lo, *hi);
    return true;
}

void stack_free_sized(uintptr_t lo, uintptr_t hi, uint32_t id)
{
    VALGRIND_STACK_DEREGISTER(id);
    os_unmap((void *)(lo - RT_STACK_GUARD_BYTES), hi - lo + RT_STACK_GUARD_BYTES);
}

void stack_is_used(uintptr_t from, uintptr_t hi)
{
    (void)VALGRIND_MAKE_MEM_UNDEFINED(from, hi - from);
}
