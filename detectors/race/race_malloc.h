/* The life of a block of the heap, for who allocates and frees as malloc and free do; and libc's own functions, which they call. */
#ifndef RACE_MALLOC_H
#define RACE_MALLOC_H

#include <stddef.h>
#include <stdint.h>

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t k, size_t n);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t align, size_t n);
void __libc_free(void *p);

/* p, of n bytes, has been allocated on behalf of the code at pc; NULL: there was no memory. Returns p. */
void *race_block_born(void *p, size_t n, uintptr_t pc);
/* It is about to be freed. May be NULL. */
void race_block_dies(void *p, uintptr_t pc);

#endif
