/* Which heap block an address lies in, who allocated it and where, and who freed it.
 *
 * A record of 40 bytes for each 32 bytes of the heap's address space, in regions committed as touched: blocks of glibc's malloc begin at least 32 bytes
 * apart, so each has a record of its own at its beginning, written by the goroutine that has just got the block or is about to give it back: no lock, no
 * search. Only a report searches: backwards from the address. */
#ifndef RACE_HEAP_H
#define RACE_HEAP_H

#include "race.h"

struct heap_block {
    uintptr_t addr;
    size_t size;                    /* as asked for */
    bool freed;
    struct race_side allocated;     /* epoch, node, pc */
    struct race_side released;      /* where it was freed, if it was */
};

/* The block [p, p + n) has begun its life by g's call at pc. */
void race_heap_born(struct race_g *g, const void *p, size_t n, uintptr_t pc);
/* g is about to free p. */
void race_heap_dies(struct race_g *g, const void *p, uintptr_t pc);
/* It was not freed after all. */
void race_heap_revived(struct race_g *g, const void *p);
/* The block that addr lies in, or, if there is none alive, the freed one. */
bool race_heap_find(uintptr_t addr, struct heap_block *out);

#endif
