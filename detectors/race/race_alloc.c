/* Size classes of 16 bytes up to 1 KiB, then powers of two. See race_alloc.h. */
#define _GNU_SOURCE
#include "race_alloc.h"

#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "race_die.h"

enum { SMALL = 1024, SMALL_CLASSES = SMALL / 16 + 1, CLASSES = SMALL_CLASSES + 40, CHUNK = 256 * 1024 };

struct block {
    struct block *next;
};

static struct class {
    atomic_flag lock;
    struct block *free;
    char *at, *end;   /* the rest of the current chunk */
} classes[CLASSES];
static _Atomic(size_t) total;

void *race_map(size_t n)
{
    void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
        race_die("no memory for the race detector");
    return p;
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
    while (atomic_flag_test_and_set_explicit(&c->lock, memory_order_acquire))
        sched_yield();
}

void *race_alloc(size_t n)
{
    size_t size;
    struct class *c = &classes[class_of(n, &size)];
    class_lock(c);
    struct block *b = c->free;
    if (b) {
        c->free = b->next;
    } else {
        if ((size_t)(c->end - c->at) < size) {
            size_t chunk = size > CHUNK ? size : CHUNK;
            c->at = race_map(chunk);
            c->end = c->at + chunk;
            atomic_fetch_add_explicit(&total, chunk, memory_order_relaxed);
        }
        b = (struct block *)c->at;
        c->at += size;
    }
    atomic_flag_clear_explicit(&c->lock, memory_order_release);
    uint64_t *w = (uint64_t *)b;
    for (size_t i = 0; i < size / 8; i++) {
        w[i] = 0;
        __asm__ volatile("" : : : "memory");   /* no call of memset, which is intercepted */
    }
    return b;
}

void race_free(void *p, size_t n)
{
    if (!p)
        return;
    size_t size;
    struct class *c = &classes[class_of(n, &size)];
    struct block *b = p;
    class_lock(c);
    b->next = c->free;
    c->free = b;
    atomic_flag_clear_explicit(&c->lock, memory_order_release);
}

size_t race_alloc_total(void)
{
    return atomic_load_explicit(&total, memory_order_relaxed);
}
