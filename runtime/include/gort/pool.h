/* A pool of free objects: puts what is not needed at the moment where the next one who needs such a thing finds it, without a trip to malloc
 * and without a lock that all processors share. Ready when all its bytes are zero; must not be copied or moved while in use. */
#ifndef GORT_POOL_H
#define GORT_POOL_H

#include <gort/base.h>

#define GORT_POOL_SHARDS 8

/* All three may be left NULL; set them before the first use:
 *     static go_pool buffers = {.make = make_buffer, .drop = free}; */
typedef struct go_pool {
    void *(*make)(void *arg);       /* makes an object for a get that finds none */
    void (*drop)(void *object);     /* go_pool_clear() hands each object to it */
    void *arg;                      /* for make */
    struct gort_pool_shard {
        struct gort_pool_chunk *chunks;
        _Atomic(size_t) count;
        char apart[48];             /* no two shards in one cache line */
    } shard[GORT_POOL_SHARDS];
} go_pool;

/* An object that was put and not taken since, likely one put on this processor a moment ago; else make(arg), if there is a make; else NULL. It is the
 * caller's alone. The put of the object happens before; what the object holds is as the put left it. Does not block; about as
 * much as an uncontended mutex's lock and unlock. */
void *go_pool_get(go_pool *p);

/* Gives the object to the pool: the caller uses it no more. NULL is ignored. Memory for the pool's own bookkeeping is allocated
 * once for each 62 objects; if there is none, "fatal error: pool: out of memory". Does not block. */
void go_pool_put(go_pool *p, void *object);

/* Takes all objects out of the pool, and calls drop, if there is one, for each; frees the pool's own memory. Nothing is dropped otherwise: a
 * pool holds as many objects as were ever put and not taken. May be called while others use the pool, which stays ready for use;
 * before the memory of a pool goes, when nobody uses it any more. */
void go_pool_clear(go_pool *p);

#endif
