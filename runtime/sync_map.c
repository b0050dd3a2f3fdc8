/* go_sync_map: tables (table.h), each under a lock of its own; a key's hash says which.
 *
 * Rejected: Go's older design with a read-only copy beside a locked map (fast reads, but each new key in turn makes copies),
 * and its newer hash trie (lock-free reads, which need a garbage collector to say when a node may go). A shard's lock is held
 * for one look-up, some ten nanoseconds, and never while the program's code runs: range copies a shard's entries under the
 * lock, string keys by a reference, and calls the program afterwards. Growing happens under the lock too.
 *
 * For the race detector a key stands for one of the synchronization addresses of its shard, chosen by hash. Keys that share an
 * address can hide a race (1 in 8192), not make one up: releases are merged. */
#include <gort/sync_map.h>

#include <stdlib.h>

#include "internal.h"
#include "table.h"

enum { SHARDS = 32, SYNC_ADDRESSES = 256 };

struct shard {
    struct lock lock;         /* rank SHARD */
    struct table table;       /* under the lock, but `live` is read without it */
} __attribute__((aligned(RT_CACHE_LINE)));

struct gort_shards {
    struct table shape;       /* empty, never changed: to hash with */
    char *sync;               /* SHARDS * SYNC_ADDRESSES words whose addresses name keys; never read or written */
    struct shard shard[SHARDS];
};

/* One operation's key: where it lies, and how the detector knows it. */
struct place {
    struct shard *shard;
    struct key key;
    const void *sync;
};

/* ---- shards ---- */

static struct gort_shards *make_shards(bool strings)
{
    hook_ignore_begin();
    void *p = aligned_alloc(RT_CACHE_LINE, (sizeof(struct gort_shards) + HOOK_CHAN_BYTES(SHARDS * SYNC_ADDRESSES) + 63) & ~(size_t)63);
    hook_ignore_end();
    if (!p)
        rt_fatal("out of memory for a sync map");
    struct gort_shards *s = p;
    enum key_kind kind = strings ? KEY_STRING : KEY_BYTES;
    table_init(&s->shape, sizeof(void *), sizeof(void *), kind);
    s->sync = (char *)(s + 1);
    for (int i = 0; i < SHARDS; i++) {
        lock_init(&s->shard[i].lock, SHARD);
        table_init(&s->shard[i].table, sizeof(void *), sizeof(void *), kind);
        s->shard[i].table.seed = s->shape.seed;   /* one hash for all */
    }
    return s;
}

static struct gort_shards *shards_of(const go_sync_map *m)
{
    return atomic_load_explicit(&((go_sync_map *)(uintptr_t)m)->shards, memory_order_acquire);
}

static void free_shards(struct gort_shards *s)
{
    hook_sync_gone(s->sync, HOOK_CHAN_BYTES(SHARDS * SYNC_ADDRESSES));
    for (int i = 0; i < SHARDS; i++)
        table_destroy(&s->shard[i].table);
    hook_ignore_begin();
    free(s);
    hook_ignore_end();
}

static struct gort_shards *shards_made(go_sync_map *m)
{
    struct gort_shards *s = shards_of(m);
    if (rt_likely(s != NULL))
        return s;
    struct gort_shards *made = make_shards(m->strings);
    if (atomic_compare_exchange_strong_explicit(&m->shards, &s, made, memory_order_acq_rel, memory_order_acquire))
        return made;
    free_shards(made);
    return s;
}

/* Finds the key's place and locks it. False: the map has no memory yet (make: it gets some). */
static bool lock_place(struct place *p, go_sync_map *m, const void *const *key, bool make, const void *pc)
{
    struct gort_shards *s = make ? shards_made(m) : shards_of(m);
    if (!s)
        return false;
    p->key = table_key(&s->shape, key);
    if (m->strings)
        hook_read(rt_race(), p->key.bytes, p->key.n + 1, pc);
    uint32_t n = p->key.hash >> 27;   /* the high bits: the table uses the low ones */
    p->shard = &s->shard[n];
    p->sync = s->sync + HOOK_CHAN_BYTES(n * SYNC_ADDRESSES + (p->key.hash >> 19) % SYNC_ADDRESSES);
    lock(&p->shard->lock);
    (void)pc;
    return true;
}

static_assert(SHARDS == 1 << (32 - 27), "the high bits of a hash choose the shard");

/* With the lock held, so that the detector hears of the operations in the order in which they happen. */
static void saw(const struct place *p)
{
    hook_acquire(rt_race(), p->sync);
    (void)p;
}

static void changed(const struct place *p)
{
    hook_release_merge(rt_race(), p->sync);
    (void)p;
}

/* ---- operations, with the lock held ---- */

static void **find(const struct place *p)
{
    char *entry = table_find(&p->shard->table, p->key);
    return entry ? table_value(&p->shard->table, entry) : NULL;
}

static void set(const struct place *p, void *value)
{
    bool fresh;
    *(void **)table_value(&p->shard->table, table_insert(&p->shard->table, p->key, &fresh)) = value;
    changed(p);
}

static bool load(const struct place *p, void **value)
{
    void **found = find(p);
    saw(p);
    if (value)
        *value = found ? *found : NULL;
    return found != NULL;
}

static void drop(const struct place *p)
{
    table_remove(&p->shard->table, p->key, NULL);
    changed(p);
}

/* The result's memory is the program's. */
static bool wrote(bool result, void **value, const void *pc)
{
    if (value)
        hook_write(rt_race(), value, sizeof *value, pc);
    (void)pc;
    return result;
}

#define CALLER __builtin_return_address(0)

bool go_sync_map_load(go_sync_map *m, const void *key, void **value)
{
    struct place p;
    bool found = false;
    if (lock_place(&p, m, &key, false, CALLER)) {
        found = load(&p, value);
        unlock(&p.shard->lock);
    } else if (value) {
        *value = NULL;
    }
    return wrote(found, value, CALLER);
}

void go_sync_map_store(go_sync_map *m, const void *key, void *value)
{
    struct place p;
    RT_CHECK(lock_place(&p, m, &key, true, CALLER));   /* true: it makes what is missing */
    set(&p, value);
    unlock(&p.shard->lock);
}

bool go_sync_map_load_or_store(go_sync_map *m, const void *key, void *value, void **actual)
{
    struct place p;
    RT_CHECK(lock_place(&p, m, &key, true, CALLER));   /* true: it makes what is missing */
    bool found = load(&p, actual);
    if (!found) {
        set(&p, value);
        if (actual)
            *actual = value;
    }
    unlock(&p.shard->lock);
    return wrote(found, actual, CALLER);
}

bool go_sync_map_load_and_delete(go_sync_map *m, const void *key, void **value)
{
    struct place p;
    bool found = false;
    if (lock_place(&p, m, &key, false, CALLER)) {
        found = load(&p, value);
        if (found)
            drop(&p);
        unlock(&p.shard->lock);
    } else if (value) {
        *value = NULL;
    }
    return wrote(found, value, CALLER);
}

void go_sync_map_delete(go_sync_map *m, const void *key)
{
    struct place p;
    if (lock_place(&p, m, &key, false, CALLER)) {
        drop(&p);
        unlock(&p.shard->lock);
    }
}

bool go_sync_map_swap(go_sync_map *m, const void *key, void *value, void **previous)
{
    struct place p;
    RT_CHECK(lock_place(&p, m, &key, true, CALLER));   /* true: it makes what is missing */
    bool found = load(&p, previous);
    set(&p, value);
    unlock(&p.shard->lock);
    return wrote(found, previous, CALLER);
}

bool go_sync_map_compare_and_swap(go_sync_map *m, const void *key, void *old, void *value)
{
    struct place p;
    if (!lock_place(&p, m, &key, false, CALLER))
        return false;
    void *now;
    bool same = load(&p, &now) && now == old;
    if (same)
        set(&p, value);
    unlock(&p.shard->lock);
    return same;
}

bool go_sync_map_compare_and_delete(go_sync_map *m, const void *key, void *old)
{
    struct place p;
    if (!lock_place(&p, m, &key, false, CALLER))
        return false;
    void *now;
    bool same = load(&p, &now) && now == old;
    if (same)
        drop(&p);
    unlock(&p.shard->lock);
    return same;
}

/* ---- the whole map ---- */

struct pair {
    const void *key;
    struct key_string *string;   /* a reference; NULL: pointer keys */
    void *value;
};

/* Copies a shard's entries; returns how many. The caller frees *pairs. */
static size_t copy_shard(const struct gort_shards *s, struct shard *shard, struct pair **pairs)
{
    for (size_t room = 0;;) {
        lock(&shard->lock);
        size_t n = shard->table.live;
        if (n > room || n == 0) {   /* memory is taken without the lock, then we look again */
            unlock(&shard->lock);
            hook_ignore_begin();
            free(*pairs);
            room = n + n / 8;
            *pairs = n ? malloc(room * sizeof **pairs) : NULL;
            hook_ignore_end();
            if (n == 0)
                return 0;
            if (!*pairs)
                rt_fatal("out of memory for the range of a sync map of %zu entries", n);
            continue;
        }
        struct table_iter it = {0};
        char *entry;
        for (struct pair *p = *pairs; (entry = table_next(&shard->table, &it, 0)); p++) {
            table_copy_key(&shard->table, entry, &p->key);
            p->value = *(void **)table_value(&shard->table, entry);
            p->string = NULL;
            if (shard->table.kind == KEY_STRING) {
                p->string = table_key_string(entry);
                atomic_fetch_add_explicit(&p->string->refs, 1, memory_order_relaxed);
            }
        }
        /* What was stored before is seen by this range: all addresses of the shard, since hashes are not at hand. */
        for (uint32_t i = 0; HOOK_CHAN_BYTES(1) && i < SYNC_ADDRESSES; i++)
            hook_acquire(rt_race(), s->sync + HOOK_CHAN_BYTES((size_t)(shard - s->shard) * SYNC_ADDRESSES + i));
        unlock(&shard->lock);
        (void)s;
        return n;
    }
}

void go_sync_map_range(go_sync_map *m, bool (*fn)(const void *key, void *value, void *arg), void *arg)
{
    struct gort_shards *s = shards_of(m);
    bool more = true;
    for (int i = 0; s && more && i < SHARDS; i++) {
        struct pair *pairs = NULL;
        size_t n = copy_shard(s, &s->shard[i], &pairs);
        for (size_t k = 0; k < n; k++) {
            more = more && fn(pairs[k].key, pairs[k].value, arg);
            if (pairs[k].string)
                key_string_release(pairs[k].string);
        }
        hook_ignore_begin();
        free(pairs);
        hook_ignore_end();
    }
}

size_t go_sync_map_len(const go_sync_map *m)
{
    struct gort_shards *s = shards_of(m);
    size_t n = 0;
    for (int i = 0; s && i < SHARDS; i++)
        n += __atomic_load_n(&s->shard[i].table.live, __ATOMIC_RELAXED);
    return n;
}

void go_sync_map_clear(go_sync_map *m)
{
    struct gort_shards *s = shards_of(m);
    for (int i = 0; s && i < SHARDS; i++) {
        lock(&s->shard[i].lock);
        table_clear(&s->shard[i].table);
        for (uint32_t k = 0; HOOK_CHAN_BYTES(1) && k < SYNC_ADDRESSES; k++)
            hook_release_merge(rt_race(), s->sync + HOOK_CHAN_BYTES((size_t)i * SYNC_ADDRESSES + k));
        unlock(&s->shard[i].lock);
    }
}

void go_sync_map_free(go_sync_map *m)
{
    struct gort_shards *s = atomic_exchange_explicit(&m->shards, NULL, memory_order_acq_rel);
    if (s)
        free_shards(s);
}
