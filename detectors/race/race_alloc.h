/* The detector's own memory: it can't use malloc, which it intercepts. Blocks of a few sizes from mappings, with a free list for each
 * size; never given back to the system. Thread-safe. */
#ifndef RACE_ALLOC_H
#define RACE_ALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* At least n bytes, zeroed, 16-aligned. Ends the program with a message if there is no memory. */
void *race_alloc(size_t n);
/* The same, contents as they were left. */
void *race_alloc_dirty(size_t n);
/* n bytes, whole words, become 0. */
static inline void race_zero(void *p, size_t n)
{
    uint64_t *w = p;
    for (size_t i = 0; i < n / 8; i++) {
        w[i] = 0;
        __asm__ volatile("" : : : "memory");   /* no call of memset, which is intercepted */
    }
}
/* n: as asked for. */
void race_free(void *p, size_t n);
/* A mapping of its own, zeroed, committed as touched. */
void *race_map(size_t n);
/* The calling thread ends: its free blocks are for others. */
void race_alloc_thread_end(void);

/* ---- the bound (GORACE memory_limit_mb) ----
 *
 * What is counted: blocks, and what others say that they took (the first shadow words of each 4 KiB that is accessed, call stacks, locksets). At the bound
 * nothing fails, but whoever would need memory only to remember more of the past asks race_memory_tight() first, and forgets the oldest instead.
 * Clocks are never given up: without them there would be false reports; without old accesses there are only fewer true ones. */

/* 0: no bound. */
void race_memory_limit(size_t bytes);
/* More (or less) memory was taken elsewhere. */
void race_memory_count(ptrdiff_t bytes);
/* Bytes taken from the system. */
size_t race_memory_total(void);
/* Whether the bound is reached. */
bool race_memory_tight(void);
/* History was lost, because of `why`; race_memory_tight says it by itself. The next race_history_tell writes it on stderr, once in the life of the process
 * whatever is lost. Whoever holds a lock or a shadow word may lose; telling may block, and is for who holds nothing. */
void race_history_lost(const char *why);
void race_history_tell(void);

#endif
