/* Accesses for play_runtime.c, compiled with race detection: the compiler puts the hooks in. Sizes 1, 2, 4, 8, 16 at any address; ranges by libc's
 * functions; atomics of 1, 2, 4, 8 bytes with each memory order. */
#ifndef ACCESSES_H
#define ACCESSES_H

#include <stddef.h>
#include <stdint.h>

uint64_t access_read(const void *p, int size);
void access_write(void *p, int size, uint64_t value);
void access_read_range(const void *p, size_t n);
void access_write_range(void *p, size_t n);

uint64_t access_atomic_load(void *p, int size, int order);
void access_atomic_store(void *p, int size, uint64_t v, int order);
uint64_t access_atomic_exchange(void *p, int size, uint64_t v, int order);
uint64_t access_atomic_add(void *p, int size, uint64_t v, int order);
/* Whether p held `from`. Failure has order relaxed. */
int access_atomic_cas(void *p, int size, uint64_t from, uint64_t to, int order);
/* A compare-exchange that fails, with that order. */
int access_atomic_cas_fails(void *p, int size, uint64_t from, int order);
void access_fence(int order);

#endif
