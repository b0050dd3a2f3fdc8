/* Stacks of goroutines: slices of large mappings, committed as they are touched, each with a guard at its low end. They are
 * never unmapped: a finished goroutine keeps its stack for the next one (g.c), so this file only ever grows.
 *
 * Layout of a slice, low to high: guard, stack, colour. The colour is a varying number of unused cache lines at the top: if all
 * stacks began at the same offset in their pages, the hot frames of a thousand goroutines would compete for a
 * few cache sets (34 ns a switch against 26). It stays well within one page, so a parked goroutine still touches one. */
#include "internal.h"
#include "note.h"
#include "os.h"

/* Valgrind is told of stacks, or it would take a switch for a very large frame. Its requests are a few instructions without effect elsewhere. */
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define VALGRIND_STACK_REGISTER(lo, hi) ((void)(lo), (void)(hi), 0u)
#define VALGRIND_STACK_DEREGISTER(id) ((void)(id))
#define RUNNING_ON_VALGRIND 0
#endif

enum { COLOURS = 24, BATCH = 64, PLENTY = 1024, AHEAD = 512 };

static struct {
    struct lock lock;             /* rank STACK; guards all */
    char *slab;                   /* the mapping that is being cut */
    unsigned next;                /* its next slice */
    unsigned count;               /* stacks handed out */
    unsigned nready;
    char *ready[AHEAD + 2 * BATCH];   /* slices that have their guard: last in, first out */
    bool maker_asked;             /* it was started, or can't be */
    struct note maker_note;
} stacks = {.lock = LOCK_INIT(STACK), .next = RT_STACKS_PER_SLAB};
static atomic_bool maker_runs;

/* A few slices in a row, to be got ready by whoever claimed them. */
struct claim {
    char *first;
    unsigned n;
    bool commit;
};

static bool claim_locked(struct claim *c)
{
    if (stacks.next == RT_STACKS_PER_SLAB) {
        char *slab = os_map((size_t)RT_STACKS_PER_SLAB * RT_STACK_BYTES);
        if (!slab)
            return false;
        stacks.slab = slab;
        stacks.next = 0;
    }
    /* Half as many as there are stacks already, so that few goroutines cost little. */
    unsigned n = stacks.count / 2 + 1, left = RT_STACKS_PER_SLAB - stacks.next;
    n = n > BATCH ? BATCH : n;
    n = n > left ? left : n;
    if (RUNNING_ON_VALGRIND)   /* which doesn't know the call, and says so */
        n = 1;
    *c = (struct claim){stacks.slab + (size_t)stacks.next * RT_STACK_BYTES, n, stacks.count >= PLENTY && n > 1};
    stacks.next += n;
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

static void put_ready_locked(const struct claim *c)
{
    /* There is room: whoever claims sees that there is, and few do so at once. Else a slice is lost. */
    for (unsigned i = c->n; i-- > 0 && stacks.nready < AHEAD + 2 * BATCH;)
        stacks.ready[stacks.nready++] = c->first + (size_t)i * RT_STACK_BYTES;
}

/* ---- the stack maker ---- */

/* A thread that gets stacks ready ahead of those who start goroutines by the thousand; asleep otherwise. */
static void maker_main(void *arg)
{
    (void)arg;
    os_block_signals();
    atomic_store_explicit(&maker_runs, true, memory_order_release);
    for (;;) {
        lock(&stacks.lock);
        struct claim c = {0};
        bool more = stacks.nready < AHEAD && claim_locked(&c);
        unlock(&stacks.lock);
        if (more && prepare(&c)) {
            lock(&stacks.lock);
            put_ready_locked(&c);
            unlock(&stacks.lock);
        } else {
            note_sleep(&stacks.maker_note, -1);
        }
    }
}

int stack_maker_threads(void)
{
    return atomic_load_explicit(&maker_runs, memory_order_acquire);
}

static void call_maker(bool start)
{
    if (!start)
        note_wake(&stacks.maker_note);
    else
        os_thread_start(maker_main, NULL, RT_THREAD_STACK_BYTES);   /* without it we make them all ourselves */
}

/* ---- taking ---- */

bool stack_alloc(uintptr_t *lo, uintptr_t *hi)
{
    lock(&stacks.lock);
    if (stacks.nready == 0) {
        struct claim c;
        bool ok = claim_locked(&c);
        unlock(&stacks.lock);
        if (!ok || !prepare(&c))
            return false;
        lock(&stacks.lock);
        put_ready_locked(&c);
    }
    char *s = stacks.ready[--stacks.nready];
    *lo = (uintptr_t)s + RT_STACK_GUARD_BYTES;
    *hi = (uintptr_t)s + RT_STACK_BYTES - stacks.count++ % COLOURS * RT_CACHE_LINE;
    bool start = stacks.count == PLENTY && os_ncpu() > 1 && !RUNNING_ON_VALGRIND;
    bool call = start || (stacks.nready == AHEAD / 2 && stacks.maker_asked);
    stacks.maker_asked = stacks.maker_asked || start;
    unlock(&stacks.lock);
    (void)VALGRIND_STACK_REGISTER(*lo, s + RT_STACK_BYTES);
    if (rt_unlikely(call))
        call_maker(start);
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
