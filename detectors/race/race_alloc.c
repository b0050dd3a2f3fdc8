/* Size classes of 16 bytes up to 1 KiB, then powers of two. See race_alloc.h.
 *
 * Each thread keeps a few free blocks of the small sizes for itself, so that clock nodes, made and dropped by every synchronization, cost neither
 * lock nor shared cache line. A cache refills from its class, and gives back to it, half at a time. `busy` is set while a thread is at work in
 * its cache: a signal handler that interrupts it there goes to the classes. */
#define _GNU_SOURCE
#include "race_alloc.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "race_die.h"
#include "race_spin.h"

enum {
    SMALL = 1024, SMALL_CLASSES = SMALL / 16 + 1, CLASSES = SMALL_CLASSES + 40, CHUNK = 256 * 1024,
    CHUNKS = 256, HUGE = 2 << 20, CACHED_CLASSES = 256 / 16 + 1, CACHE = 64,
};

struct block {
    struct block *next;
};

static struct class {
    atomic_flag lock;
    struct block *free;
    char *at, *end;   /* the rest of the current chunk */
} classes[CLASSES];

struct cache {
    struct block *free;
    unsigned n;
};
static _Thread_local struct cache caches[CACHED_CLASSES] __attribute__((tls_model("initial-exec")));
static _Thread_local volatile bool busy __attribute__((tls_model("initial-exec")));

static _Atomic(size_t) total, limit;

void *race_map(size_t n)
{
    void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
        race_die("no memory for the race detector");
    return p;
}

/* Chunks are cut from larger mappings: mmap waits for the page faults of all threads, and keeps them waiting. What comes after the first few MiB is in huge
 * pages: where goroutines are many, their structs and clocks would else be a page fault for each ten of them, and a miss in the TLB at each look. */
static char *chunk_new(void)
{
    static atomic_flag lock = ATOMIC_FLAG_INIT;
    static char *at;
    static unsigned left;
    enum { ALL = CHUNKS * CHUNK, FIRST = 16 << 20 };   /* small programs have some twenty chunks, each with little in it */
    static unsigned huge_from = FIRST;
    race_spin_lock(&lock);
    if (left == 0) {
        char *mapped = race_map(ALL + HUGE);
        int saved = errno;
        at = (char *)(((uintptr_t)mapped + HUGE - 1) & ~(uintptr_t)(HUGE - 1));
        madvise(at + huge_from, ALL - huge_from, MADV_HUGEPAGE);
        huge_from = 0;
        errno = saved;
        left = CHUNKS;
    }
    char *chunk = at;
    at += CHUNK;
    left--;
    race_spin_unlock(&lock);
    return chunk;
}

static size_t class_of(size_t n, size_t *size)
{
    if (n <= SMALL) {
        *size = n ? (n + 15) / 16 * 16 : 16;
        return *size / 16;
    }
    size_t c = SMALL_CLASSES;
    *size = 2 * SMALL;
    while (*size < n) {
        *size *= 2;
        c++;
    }
    return c;
}

static void class_lock(struct class *c)
{
    race_spin_lock(&c->lock);
}

static void class_unlock(struct class *c)
{
    race_spin_unlock(&c->lock);
}

static struct block *take_locked(struct class *c, size_t size)
{
    struct block *b = c->free;
    if (b) {
        c->free = b->next;
        return b;
    }
    if ((size_t)(c->end - c->at) < size) {
        size_t chunk = size > CHUNK ? size : CHUNK;
        c->at = size > CHUNK ? race_map(size) : chunk_new();
        c->end = c->at + chunk;
        atomic_fetch_add_explicit(&total, chunk, memory_order_relaxed);
    }
    b = (struct block *)c->at;
    c->at += size;
    return b;
}

static __attribute__((noinline)) void refill(struct cache *cache, struct class *c, size_t size)
{
    class_lock(c);
    for (; cache->n < CACHE / 2; cache->n++) {
        struct block *b = take_locked(c, size);
        b->next = cache->free;
        cache->free = b;
    }
    class_unlock(c);
}

/* All but `keep` go back. */
static __attribute__((noinline)) void spill(struct cache *cache, struct class *c, unsigned keep)
{
    if (cache->n <= keep)
        return;
    struct block *first = cache->free, *last = first;
    for (cache->n--; cache->n > keep; cache->n--)
        last = last->next;
    cache->free = last->next;
    class_lock(c);
    last->next = c->free;
    c->free = first;
    class_unlock(c);
}

void *race_alloc_dirty(size_t n)
{
    size_t size, i = class_of(n, &size);
    struct block *b;
    if (i < CACHED_CLASSES && !busy) {
        struct cache *cache = &caches[i];
        busy = true;
        if (!cache->free)
            refill(cache, &classes[i], size);
        b = cache->free;
        cache->free = b->next;
        cache->n--;
        busy = false;
        return b;
    }
    class_lock(&classes[i]);
    b = take_locked(&classes[i], size);
    class_unlock(&classes[i]);
    return b;
}

void *race_alloc(size_t n)
{
    void *p = race_alloc_dirty(n);
    race_zero(p, (n + 7) / 8 * 8);
    return p;
}

void race_free(void *p, size_t n)
{
    if (!p)
        return;
    size_t size, i = class_of(n, &size);
    struct block *b = p;
    if (i < CACHED_CLASSES && !busy) {
        struct cache *cache = &caches[i];
        busy = true;
        b->next = cache->free;
        cache->free = b;
        if (++cache->n > CACHE)
            spill(cache, &classes[i], CACHE / 2);
        busy = false;
        return;
    }
    class_lock(&classes[i]);
    b->next = classes[i].free;
    classes[i].free = b;
    class_unlock(&classes[i]);
}

void race_alloc_thread_end(void)
{
    busy = true;
    for (size_t i = 0; i < CACHED_CLASSES; i++)
        spill(&caches[i], &classes[i], 0);
    busy = false;
}

/* ---- the bound ---- */

void race_memory_limit(size_t bytes)
{
    atomic_store_explicit(&limit, bytes, memory_order_relaxed);
}

void race_memory_count(ptrdiff_t bytes)
{
    atomic_fetch_add_explicit(&total, (size_t)bytes, memory_order_relaxed);
}

size_t race_memory_total(void)
{
    return atomic_load_explicit(&total, memory_order_relaxed);
}

/* Why history was lost, until it is told; then TOLD. */
static _Atomic(const char *) lost;
static const char TOLD[1];

bool race_memory_tight(void)
{
    size_t most = atomic_load_explicit(&limit, memory_order_relaxed);
    if (most == 0 || race_memory_total() < most)
        return false;
    race_history_lost("memory_limit_mb is reached");
    return true;
}

void race_history_lost(const char *why)
{
    const char *nothing = NULL;
    if (atomic_load_explicit(&lost, memory_order_relaxed) == NULL)
        atomic_compare_exchange_strong_explicit(&lost, &nothing, why, memory_order_relaxed, memory_order_relaxed);
}

void race_history_tell(void)
{
    const char *why = atomic_load_explicit(&lost, memory_order_relaxed);
    if (why && why != TOLD && atomic_compare_exchange_strong_explicit(&lost, &why, TOLD, memory_order_relaxed, memory_order_relaxed))
        race_warn(why, "from now on the oldest accesses are forgotten, and races with them are not found");
}
