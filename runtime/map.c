/* go_map: a table (table.h) and a version.
 *
 * The version tells concurrent use without a lock: a writer makes it odd, works, and makes it even again; a reader looks at it
 * before and after. A reader that finds it odd, or changed, has overlapped with a writer, and a writer that finds it odd, or
 * at its end another than it left it, with another writer. (Go has one flag that readers look at once; the version finds
 * more.) The stores are plain ones: this detects, by and large, what must not be; it orders nothing. Release and acquire keep
 * the table's accesses between the two looks. What such a race does to the table is anybody's guess, but a reader stays within
 * memory that the table has: table.h.
 *
 * In race builds a read of the map is a read of its version's eight bytes, a write a write of them, at the caller's program
 * counter: so the detector reports unordered uses whether they overlap or not. Unlike the runtime's other objects the map is
 * allocated as the program's own memory, so that a report can say where, and the detector forgets former accesses when the
 * memory is used again. */
#include <gort/map.h>

#include <stdlib.h>

#include "internal.h"
#include "table.h"

struct gort_map {
    _Atomic(uint64_t) version;   /* odd: somebody writes */
    struct table table;
};

static_assert(sizeof(struct table_iter) <= sizeof(struct go_map_iter), "a table_iter lies in it");
static_assert(alignof(struct table_iter) <= alignof(struct go_map_iter), "a table_iter lies in it");

#define CALLER __builtin_return_address(0)

static rt_cold _Noreturn void concurrent(const char *what)
{
    rt_enter();
    rt_fatal("concurrent map %s", what);
}

/* ---- the version ---- */

static uint64_t read_begin(const struct gort_map *m, const char *what)
{
    uint64_t v = atomic_load_explicit(&m->version, memory_order_acquire);
    if (rt_unlikely(v & 1))
        concurrent(what);
    return v;
}

static void read_end(const struct gort_map *m, uint64_t v, const char *what)
{
    atomic_thread_fence(memory_order_acquire);
    if (rt_unlikely(atomic_load_explicit(&m->version, memory_order_relaxed) != v))
        concurrent(what);
}

static uint64_t write_begin(struct gort_map *m)
{
    uint64_t v = atomic_load_explicit(&m->version, memory_order_relaxed);
    if (rt_unlikely(v & 1))
        concurrent("writes");
    atomic_store_explicit(&m->version, v + 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    return v;
}

static void write_end(struct gort_map *m, uint64_t v)
{
    if (rt_unlikely(atomic_load_explicit(&m->version, memory_order_relaxed) != v + 1))
        concurrent("writes");
    atomic_store_explicit(&m->version, v + 2, memory_order_release);
}

/* ---- the race detector's view ---- */

static void reads(const struct gort_map *m, const void *pc)
{
    hook_read(rt_race(), &m->version, sizeof m->version, pc);
    (void)m;
    (void)pc;
}

static void writes(struct gort_map *m, const void *pc)
{
    hook_write(rt_race(), &m->version, sizeof m->version, pc);
    (void)m;
    (void)pc;
}

/* The text of a string key is the caller's memory. */
static struct key key_of(const struct gort_map *m, const void *key, const void *pc)
{
    struct key k = table_key(&m->table, key);
    if (m->table.kind == KEY_STRING)
        hook_read(rt_race(), k.bytes, k.n + 1, pc);
    (void)pc;
    return k;
}

/* ---- operations ---- */

void *gort_map_make(size_t key_size, size_t value_size, int kind)
{
    if (key_size > UINT32_MAX / 4 || value_size > UINT32_MAX / 4)
        rt_panic("makemap: size out of range");
    rt_g();
    struct gort_map *m = calloc(1, sizeof *m);
    if (!m)
        rt_fatal("out of memory for a map");
    table_init(&m->table, key_size, value_size, (enum key_kind)kind);
    return m;
}

void gort_map_set(struct gort_map *m, const void *key, const void *value)
{
    if (rt_unlikely(m == NULL)) {
        rt_enter();
        rt_panic("assignment to entry in nil map");
    }
    writes(m, CALLER);
    struct key k = key_of(m, key, CALLER);
    uint64_t v = write_begin(m);
    bool fresh;
    char *entry = table_insert(&m->table, k, &fresh);
    rt_copy(table_value(&m->table, entry), value, m->table.value_size);
    write_end(m, v);
}

bool gort_map_get(const struct gort_map *m, const void *key, void *value, size_t value_size)
{
    static const char what[] = "read and map write";
    char *entry = NULL;
    if (rt_likely(m != NULL)) {
        reads(m, CALLER);
        struct key k = key_of(m, key, CALLER);
        uint64_t v = read_begin(m, what);
        entry = table_find(&m->table, k);
        if (value && entry)
            rt_copy(value, table_value(&m->table, entry), value_size);
        read_end(m, v, what);
    }
    if (value) {
        if (!entry)
            rt_zero(value, value_size);
        hook_write(rt_race(), value, value_size, CALLER);
    }
    return entry != NULL;
}

bool gort_map_delete(struct gort_map *m, const void *key)
{
    if (m == NULL)
        return false;
    writes(m, CALLER);
    struct key k = key_of(m, key, CALLER);
    uint64_t v = write_begin(m);
    bool removed = table_remove(&m->table, k, NULL);
    write_end(m, v);
    return removed;
}

size_t gort_map_len(const struct gort_map *m)
{
    if (m == NULL)
        return 0;
    reads(m, CALLER);
    return m->table.live;
}

void gort_map_clear(struct gort_map *m)
{
    if (m == NULL)
        return;
    writes(m, CALLER);
    uint64_t v = write_begin(m);
    table_clear(&m->table);
    write_end(m, v);
}

void gort_map_free(struct gort_map *m)
{
    if (m == NULL)
        return;
    writes(m, CALLER);
    write_begin(m);
    table_destroy(&m->table);
    free(m);
}

bool gort_map_next(const struct gort_map *m, struct go_map_iter *it, void *key, void *value)
{
    static const char what[] = "iteration and map write";
    if (m == NULL)
        return false;
    reads(m, CALLER);
    uint64_t v = read_begin(m, what);
    struct table_iter *state = (struct table_iter *)it;
    rt_g();
    char *entry = table_next(&m->table, state, state->phase == ITER_FRESH ? m_random(rt_m()) : 0);
    if (entry && key)
        table_copy_key(&m->table, entry, key);
    if (entry && value)
        rt_copy(value, table_value(&m->table, entry), m->table.value_size);
    read_end(m, v, what);
    if (entry && key)
        hook_write(rt_race(), key, m->table.kind == KEY_STRING ? sizeof(char *) : m->table.key_size, CALLER);
    if (entry && value)
        hook_write(rt_race(), value, m->table.value_size, CALLER);
    return entry != NULL;
}
