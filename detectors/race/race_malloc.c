/* The malloc family: a block's life. Birth forgets what was known of its memory; death is a write to all of it, and the end of the
 * synchronization by its addresses. */
#define _GNU_SOURCE
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "race_heap.h"
#include "race_libc.h"
#include "race_locks.h"
#include "race_shadow.h"

size_t __real_strlen(const char *s);
char *__real_strdup(const char *s);
void *__real_malloc(size_t n);
void *__real_calloc(size_t k, size_t n);
void *__real_realloc(void *p, size_t n);
void __real_free(void *p);

static void *born(void *p, size_t n, uintptr_t pc)
{
    if (p && is_on())
        shadow_clear((uintptr_t)p, malloc_usable_size(p));
    race_heap_born(race_cur(), p, n, pc);
    return p;
}

void *__wrap_malloc(size_t n)
{
    return born(__real_malloc(n), n, PC);
}

void *__wrap_calloc(size_t k, size_t n)
{
    return born(__real_calloc(k, n), k * n, PC);
}

char *__wrap_strdup(const char *s)
{
    reads(s, __real_strlen(s) + 1, PC);
    return born(__real_strdup(s), __real_strlen(s) + 1, PC);
}

/* Freeing is a write to the whole block: whoever still uses it without having been waited for races with it. */
static void dies(void *p, uintptr_t pc)
{
    if (p && is_on()) {
        size_t n = malloc_usable_size(p);
        writes(p, n, pc);
        race_sync_forget((uintptr_t)p, n);
        race_lock_gone(race_cur(), (uintptr_t)p, n, LOCK_FREED, pc);
    }
    race_heap_dies(race_cur(), p, pc);
}

void *__wrap_realloc(void *p, size_t n)
{
    dies(p, PC);
    return born(__real_realloc(p, n), n, PC);
}

void __wrap_free(void *p)
{
    dies(p, PC);
    __real_free(p);
}
