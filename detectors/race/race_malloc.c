/* The malloc family: a block's life. Birth forgets what was known of its memory; death is a write to all of it, and the end of the
 * synchronization by its addresses. */
#define _GNU_SOURCE
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "race_libc.h"
#include "race_shadow.h"

size_t __real_strlen(const char *s);
char *__real_strdup(const char *s);
void *__real_malloc(size_t n);
void *__real_calloc(size_t k, size_t n);
void *__real_realloc(void *p, size_t n);
void __real_free(void *p);

static void *born(void *p)
{
    if (p && is_on())
        shadow_clear((uintptr_t)p, malloc_usable_size(p));
    return p;
}

void *__wrap_malloc(size_t n)
{
    return born(__real_malloc(n));
}

void *__wrap_calloc(size_t k, size_t n)
{
    return born(__real_calloc(k, n));
}

char *__wrap_strdup(const char *s)
{
    reads(s, __real_strlen(s) + 1, PC);
    return born(__real_strdup(s));
}

/* Freeing is a write to the whole block: whoever still uses it without having been waited for races with it. */
static void dies(void *p, uintptr_t pc)
{
    if (p && is_on()) {
        size_t n = malloc_usable_size(p);
        writes(p, n, pc);
        race_sync_forget((uintptr_t)p, n);
    }
}

void *__wrap_realloc(void *p, size_t n)
{
    dies(p, PC);
    return born(__real_realloc(p, n));
}

void __wrap_free(void *p)
{
    dies(p, PC);
    __real_free(p);
}
