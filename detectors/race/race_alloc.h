/* The detector's own memory: it can't use malloc, which it intercepts. Blocks of a few sizes from mappings, with a free list for each
 * size; never given back to the system. Thread-safe. */
#ifndef RACE_ALLOC_H
#define RACE_ALLOC_H

#include <stddef.h>
#include <stdint.h>

/* At least n bytes, zeroed, 16-aligned. Ends the program with a message if there is no memory. */
void *race_alloc(size_t n);
/* n: as asked for. */
void race_free(void *p, size_t n);
/* A mapping of its own, zeroed, committed as touched. */
void *race_map(size_t n);
/* Bytes taken from the system by race_alloc. */
size_t race_alloc_total(void);

#endif
