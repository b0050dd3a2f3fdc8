/* What code written with ThreadSanitizer in mind may call (<sanitizer/tsan_interface.h> and the older "dynamic annotations"): explicit
 * synchronization, own mutexes, fibers, accesses not to be checked; and the two calls that clang emits for functions without checking. */
#include <stdlib.h>

#include "race_alloc.h"
#include "race_libc.h"
#include "race_locks.h"
#include "race_report.h"

/* ---- emitted by clang ---- */

void __tsan_ignore_thread_begin(void)
{
    race_cur()->disabled += is_on();
}

void __tsan_ignore_thread_end(void)
{
    struct race_g *g = race_cur();
    if (is_on() && race_is_off(g))
        g->disabled--;
}

/* ---- synchronization ---- */

void __tsan_acquire(void *addr)
{
    race_acquire(race_cur(), addr);
}

void __tsan_release(void *addr)
{
    race_release_merge(race_cur(), addr);
}

/* A mutex that the program builds itself. What it does between pre_ and post_ to its own words is its own business. */
enum { LINKER_INIT = 1, READ_LOCK = 1 << 3, TRY_LOCK = 1 << 4, TRY_LOCK_FAILED = 1 << 5, NOT_STATIC = 1 << 8 };

/* Whether it may be locked again by its holder only the program knows. */
static unsigned lock_kind(unsigned flags)
{
    return LOCK_MUTEX | LOCK_RECURSIVE | (flags & READ_LOCK ? LOCK_READ : 0) | (flags & TRY_LOCK ? LOCK_TRIED : 0);
}

void __tsan_mutex_create(void *addr, unsigned flags)
{
    race_lock_gone(NULL, (uintptr_t)addr, 1, LOCK_INITIALIZED, PC);
    race_sync_forget((uintptr_t)addr, 1);
    if (is_on())
        race_lock_note(addr, flags & (LINKER_INIT | NOT_STATIC));
}

/* One that the linker has initialized may be used when it has been destroyed: by what runs later at the end of the program. */
void __tsan_mutex_destroy(void *addr, unsigned flags)
{
    unsigned noted = race_lock_noted(addr);
    if (((flags | noted) & LINKER_INIT) || (flags & ~noted & NOT_STATIC))
        return;
    race_lock_gone(race_cur(), (uintptr_t)addr, 1, LOCK_DESTROYED, PC);
    race_sync_forget((uintptr_t)addr, 1);
}

void __tsan_mutex_pre_lock(void *addr, unsigned flags)
{
    if (!(flags & TRY_LOCK))
        race_lock_wanted(race_cur(), addr, lock_kind(flags), PC);
    __tsan_ignore_thread_begin();
}

/* Readers release at the byte behind, so that they are not ordered among themselves. */
void __tsan_mutex_post_lock(void *addr, unsigned flags, int recursion)
{
    (void)recursion;
    __tsan_ignore_thread_end();
    if (flags & TRY_LOCK_FAILED)
        return;
    struct lockset *known = race_lock_begins(race_cur(), addr, lock_kind(flags), PC);
    race_acquire(race_cur(), addr);
    if (!(flags & READ_LOCK))
        race_acquire(race_cur(), (char *)addr + 1);
    race_lock_taken(race_cur(), addr, lock_kind(flags), PC, known);
}

int __tsan_mutex_pre_unlock(void *addr, unsigned flags)
{
    race_lock_leaves(race_cur());
    race_release_merge(race_cur(), flags & READ_LOCK ? (char *)addr + 1 : addr);
    race_lock_released(race_cur(), addr, lock_kind(flags));
    __tsan_ignore_thread_begin();
    return 0;
}

void __tsan_mutex_post_unlock(void *addr, unsigned flags)
{
    (void)addr;
    (void)flags;
    __tsan_ignore_thread_end();
}

#define IGNORE_BETWEEN(pre, post) \
    void pre(void *addr, unsigned flags) { (void)addr; (void)flags; __tsan_ignore_thread_begin(); } \
    void post(void *addr, unsigned flags) { (void)addr; (void)flags; __tsan_ignore_thread_end(); }
IGNORE_BETWEEN(__tsan_mutex_pre_signal, __tsan_mutex_post_signal)
IGNORE_BETWEEN(__tsan_mutex_post_divert, __tsan_mutex_pre_divert)

/* ---- fibers: coroutines of the program's own ---- */

void *__tsan_get_current_fiber(void)
{
    return race_cur();
}

void *__tsan_create_fiber(unsigned flags)
{
    (void)flags;
    struct race_g *me = race_cur();
    struct race_g *g = race_g_new(is_on() ? me : NULL);
    if (is_on()) {
        g->who->parent_id = me->who->id;
        g->who->create_node = me->node->id;
        g->who->create_pc = PC;
    }
    return g;
}

void __tsan_destroy_fiber(void *fiber)
{
    race_g_end(fiber);
}

enum { NO_SYNC = 1 };

void __tsan_switch_to_fiber(void *fiber, unsigned flags)
{
    struct race_g *from = race_cur(), *to = fiber;
    if (!(flags & NO_SYNC) && from != &race_ignored && to != &race_ignored) {
        race_release(from, to);
        race_acquire(to, to);
    }
    race_cur_tls = to;
}

void __tsan_set_fiber_name(void *fiber, const char *name)
{
    (void)fiber;
    (void)name;
}

void __tsan_flush_memory(void)
{
}

/* ---- dynamic annotations ---- */

#define ANNOTATE(name, parameters, ...) \
    void name parameters { (void)file; (void)line; __VA_ARGS__; }
ANNOTATE(AnnotateHappensBefore, (const char *file, int line, void *addr), race_release_merge(race_cur(), addr))
ANNOTATE(AnnotateHappensAfter, (const char *file, int line, void *addr), race_acquire(race_cur(), addr))
ANNOTATE(AnnotateRWLockCreate, (const char *file, int line, void *addr), __tsan_mutex_create(addr, 0))
ANNOTATE(AnnotateRWLockCreateStatic, (const char *file, int line, void *addr), __tsan_mutex_create(addr, 0))
ANNOTATE(AnnotateRWLockDestroy, (const char *file, int line, void *addr), __tsan_mutex_destroy(addr, 0))
ANNOTATE(AnnotateRWLockAcquired, (const char *file, int line, void *addr, uintptr_t is_write),
         race_acquire(race_cur(), addr); if (is_write) race_acquire(race_cur(), (char *)addr + 1))
ANNOTATE(AnnotateRWLockReleased, (const char *file, int line, void *addr, uintptr_t is_write),
         race_release_merge(race_cur(), is_write ? addr : (char *)addr + 1))
ANNOTATE(AnnotateIgnoreReadsBegin, (const char *file, int line), __tsan_ignore_thread_begin())
ANNOTATE(AnnotateIgnoreReadsEnd, (const char *file, int line), __tsan_ignore_thread_end())
ANNOTATE(AnnotateIgnoreWritesBegin, (const char *file, int line), __tsan_ignore_thread_begin())
ANNOTATE(AnnotateIgnoreWritesEnd, (const char *file, int line), __tsan_ignore_thread_end())
ANNOTATE(AnnotateIgnoreSyncBegin, (const char *file, int line), )
ANNOTATE(AnnotateIgnoreSyncEnd, (const char *file, int line), )
ANNOTATE(AnnotateFlushState, (const char *file, int line), )
ANNOTATE(AnnotateNewMemory, (const char *file, int line, void *addr, size_t n), (void)addr; (void)n)
ANNOTATE(AnnotateThreadName, (const char *file, int line, const char *name), (void)name)
ANNOTATE(AnnotateEnableRaceDetection, (const char *file, int line, int enable), (void)enable)

/* Races that the program knows of. Few, and looked at when a race has been found. */
struct benign {
    struct benign *next;
    uintptr_t from, n;
};
static _Atomic(struct benign *) benign;

bool race_is_benign(uintptr_t addr)
{
    for (const struct benign *b = atomic_load_explicit(&benign, memory_order_acquire); b; b = b->next)
        if (addr - b->from < b->n)
            return true;
    return false;
}

static void benign_add(const volatile void *addr, size_t n)
{
    if (!is_on() || race_is_benign((uintptr_t)addr))   /* often said again and again */
        return;
    struct benign *b = race_alloc(sizeof *b);
    *b = (struct benign){.next = atomic_load_explicit(&benign, memory_order_relaxed), .from = (uintptr_t)addr, .n = n};
    while (!atomic_compare_exchange_weak_explicit(&benign, &b->next, b, memory_order_release, memory_order_relaxed))
        ;
}
ANNOTATE(AnnotateBenignRace, (const char *file, int line, const volatile void *addr, const char *why), (void)why; benign_add(addr, 1))
ANNOTATE(AnnotateBenignRaceSized, (const char *file, int line, const volatile void *addr, size_t n, const char *why), (void)why; benign_add(addr, n))
ANNOTATE(WTFAnnotateBenignRaceSized, (const char *file, int line, const volatile void *addr, size_t n, const char *why), (void)why; benign_add(addr, n))
ANNOTATE(WTFAnnotateHappensBefore, (const char *file, int line, void *addr), race_release_merge(race_cur(), addr))
ANNOTATE(WTFAnnotateHappensAfter, (const char *file, int line, void *addr), race_acquire(race_cur(), addr))

/* Hints for detectors of other kinds: there is nothing to be done. */
ANNOTATE(AnnotateCondVarSignal, (const char *file, int line, void *cv), (void)cv)
ANNOTATE(AnnotateCondVarSignalAll, (const char *file, int line, void *cv), (void)cv)
ANNOTATE(AnnotateCondVarWait, (const char *file, int line, void *cv, void *lock), (void)cv; (void)lock)
ANNOTATE(AnnotateExpectRace, (const char *file, int line, void *addr, const char *why), (void)addr; (void)why)
ANNOTATE(AnnotateFlushExpectedRaces, (const char *file, int line), )
ANNOTATE(AnnotateMutexIsNotPHB, (const char *file, int line, void *mutex), (void)mutex)
ANNOTATE(AnnotateMutexIsUsedAsCondVar, (const char *file, int line, void *mutex), (void)mutex)
ANNOTATE(AnnotateNoOp, (const char *file, int line, void *addr), (void)addr)
ANNOTATE(AnnotatePCQCreate, (const char *file, int line, void *queue), (void)queue)
ANNOTATE(AnnotatePCQDestroy, (const char *file, int line, void *queue), (void)queue)
ANNOTATE(AnnotatePCQGet, (const char *file, int line, void *queue), (void)queue)
ANNOTATE(AnnotatePCQPut, (const char *file, int line, void *queue), (void)queue)
ANNOTATE(AnnotatePublishMemoryRange, (const char *file, int line, void *addr, size_t n), (void)addr; (void)n)
ANNOTATE(AnnotateUnpublishMemoryRange, (const char *file, int line, void *addr, size_t n), (void)addr; (void)n)
ANNOTATE(AnnotateTraceMemory, (const char *file, int line, void *addr), (void)addr)
ANNOTATE(AnnotateMemoryIsInitialized, (const char *file, int line, void *addr, size_t n), (void)addr; (void)n)
ANNOTATE(AnnotateMemoryIsUninitialized, (const char *file, int line, void *addr, size_t n), (void)addr; (void)n)

__attribute__((weak)) int RunningOnValgrind(void)
{
    return 0;
}

__attribute__((weak)) double ValgrindSlowdown(void)
{
    return 10.0;   /* so much longer a program that asks may wait */
}
