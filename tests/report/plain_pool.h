/* A small thread pool as libraries have it: built without detection, in a shared library. */
#ifndef PLAIN_POOL_H
#define PLAIN_POOL_H

#include <stddef.h>

void pool_start(int threads);
/* fn(arg) runs on one of the pool's threads. The order is made by a mutex and a condition of the pool's own. */
void pool_submit(void (*fn)(void *), void *arg);
/* The pool's threads have ended. */
void pool_stop(void);
/* A block of memory; free it with pool_free. */
void *pool_alloc(size_t n);
void pool_free(void *p);

/* An object with a lock, which the library's own atomics order with its end. */
struct shared;
struct shared *shared_new(int refs);
void shared_drop(struct shared *s);

#endif
