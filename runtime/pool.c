/* Pool: free objects in shards, so that processors do not fight for one list. A P uses the shard of its number; with more Ps than shards some
 * share one, and a thread's goroutine, which has no P, uses that of its thread. A get that finds its own shard empty looks at the others.
 *
 * A shard is a stack of chunks that hold pointers, under the lock of its address's bucket (sema.c): an exchange and a store, uncontended
 * unless a get of another P looks around. Nobody calls malloc, or the program's functions, with it held. A chunk that has become empty
 * stays, one for each shard, so that puts and gets in turn at a chunk's edge do not allocate.
 *
 * The object's own memory is not used: what it holds is the program's. For the race detector the place in the chunk stands for the object:
 * the put of what was there happens before the get that takes it out, and neither before anything else. So a pointer never changes its place. */
#include <gort/pool.h>

#include <stdlib.h>

#include "internal.h"

enum { CHUNK_OBJECTS = 62 };

struct gort_pool_chunk {
    struct gort_pool_chunk *next;   /* full ones */
    size_t n;
    void *object[CHUNK_OBJECTS];
};

typedef struct gort_pool_shard shard;
typedef struct gort_pool_chunk chunk;

static shard *own_shard(go_pool *p)
{
    struct m *m = rt_m();
    struct p *proc = m ? __atomic_load_n(&m->p, __ATOMIC_RELAXED) : NULL;   /* the monitor may just take it: a hint is enough */
    uint32_t id = proc ? proc->id : (uint32_t)((uintptr_t)m >> 12);
    return &p->shard[id % GORT_POOL_SHARDS];
}

static chunk *chunk_new(void)
{
    hook_ignore_begin();
    chunk *c = malloc(sizeof *c);
    hook_ignore_end();
    if (!c)
        rt_fatal("pool: out of memory");
    c->next = NULL;
    c->n = 0;
    return c;
}

static void chunk_free(chunk *c)
{
    hook_sync_gone(c, sizeof *c);
    hook_ignore_begin();
    free(c);
    hook_ignore_end();
}

static void count(shard *s, size_t n)
{
    atomic_store_explicit(&s->count, n, memory_order_relaxed);   /* a hint for those who look around */
}

static size_t counted(shard *s)
{
    return atomic_load_explicit(&s->count, memory_order_relaxed);
}

/* Takes the object put last, or NULL. An emptied chunk is returned in *empty if the shard has one already. */
static void *pop_locked(shard *s, chunk **empty)
{
    chunk *c = s->chunks;
    if (c && c->n == 0 && c->next) {   /* the spare one is on top of a full one */
        c = c->next;
        if (c->n == 1) {
            s->chunks->next = c->next;
            *empty = c;
        }
    }
    if (!c || c->n == 0)
        return NULL;
    void **place = &c->object[--c->n];
    void *object = *place;
    hook_acquire(rt_race(), place);
    count(s, counted(s) - 1);
    return object;
}

void *go_pool_get(go_pool *p)
{
    shard *own = own_shard(p);
    size_t first = (size_t)(own - p->shard);
    for (size_t i = 0; i < GORT_POOL_SHARDS; i++) {
        shard *s = &p->shard[(first + i) % GORT_POOL_SHARDS];
        if (counted(s) == 0)
            continue;
        chunk *empty = NULL;
        struct lock *l = sema_lock(s);
        void *object = pop_locked(s, &empty);
        unlock(l);
        if (empty)
            chunk_free(empty);
        if (object)
            return object;
    }
    return p->make ? p->make(p->arg) : NULL;
}

void go_pool_put(go_pool *p, void *object)
{
    if (!object)
        return;
    shard *s = own_shard(p);
    chunk *fresh = NULL;
    struct lock *l = sema_lock(s);
    while (!s->chunks || s->chunks->n == CHUNK_OBJECTS) {
        if (fresh) {
            fresh->next = s->chunks;
            s->chunks = fresh;
            fresh = NULL;
            break;
        }
        unlock(l);
        fresh = chunk_new();
        lock(l);
    }
    void **place = &s->chunks->object[s->chunks->n++];
    hook_release(rt_race(), place);
    *place = object;
    count(s, counted(s) + 1);
    unlock(l);
    if (fresh)   /* another put was faster */
        chunk_free(fresh);
}

void go_pool_clear(go_pool *p)
{
    for (size_t i = 0; i < GORT_POOL_SHARDS; i++) {
        shard *s = &p->shard[i];
        struct lock *l = sema_lock(s);
        chunk *c = s->chunks;
        s->chunks = NULL;
        count(s, 0);
        unlock(l);
        while (c) {
            chunk *next = c->next;
            while (c->n > 0) {
                void **place = &c->object[--c->n];
                hook_acquire(rt_race(), place);
                if (p->drop)
                    p->drop(*place);
            }
            chunk_free(c);
            c = next;
        }
    }
}
