/* The hash table. The idea is in table.h.
 *
 * Invariants: slots in use <= 3/4 of all, so a search ends; a slot's entry is alive; `live` of the `used` entries are alive,
 * each with one slot; sequence numbers grow with the position. Deleting shifts the slots that follow back, so the index has no
 * tombstones; the array has, until it is full: then the entries alive are packed into a new one, twice the room if more than
 * half of it is needed. */
#include "table.h"

#include <stdlib.h>

#define XXH_INLINE_ALL
#define XXH_FORCE_MEMORY_ACCESS 1   /* no memcpy to read a word */
#include <xxhash.h>

#include "internal.h"
#include "os.h"

enum { SLOTS_MIN = 8, HEAD = 8 };   /* bytes of an entry before its key: sequence number << 1 | alive */

struct slot {
    uint32_t hash;
    uint32_t at;                    /* position + 1; 0: empty */
};

struct store {
    uint32_t mask;                  /* slots - 1 */
    uint32_t room, used;            /* entries */
    char *entries;
    struct slot slots[];
};

/* ---- entries ---- */

static uint32_t round8(size_t n)
{
    return (uint32_t)((n + 7) & ~(size_t)7);
}

static char *entry_at(const struct table *t, const struct store *s, uint32_t pos)
{
    return s->entries + (size_t)pos * t->entry_size;
}

static uint64_t head_of(const char *entry)
{
    return *(const uint64_t *)entry;
}

static bool is_alive(const char *entry)
{
    return head_of(entry) & 1;
}

static uint64_t seq_of(const char *entry)
{
    return head_of(entry) >> 1;
}

struct key_string *table_key_string(const char *entry)
{
    return *(struct key_string *const *)(entry + HEAD);
}

/* The texts are the program's to read, so their memory is allocated and freed as the program's own (the detector watches), and
 * whoever has read one does so before the last one frees it. */
void key_string_release(struct key_string *s)
{
    hook_release_merge(rt_race(), s);
    if (atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
        return;
    hook_acquire(rt_race(), s);
    free(s);
}

void table_copy_key(const struct table *t, const char *entry, void *key)
{
    if (t->kind == KEY_STRING)
        *(const char **)key = table_key_string(entry)->text;
    else
        rt_copy(key, entry + HEAD, t->key_size);
}

/* ---- keys ---- */

static uint32_t hash_bytes(const struct table *t, const void *p, size_t n)
{
    hook_ignore_begin();
    uint64_t h = XXH3_64bits_withSeed(p, n, t->seed);
    hook_ignore_end();
    return (uint32_t)(h ^ h >> 32);
}

static double float_of(const struct table *t, const void *p)
{
    if (t->kind == KEY_DOUBLE) {
        double d;
        rt_copy(&d, p, sizeof d);
        return d;
    }
    float f;
    rt_copy(&f, p, sizeof f);
    return (double)f;
}

struct key table_key(const struct table *t, const void *key)
{
    struct key k = {.bytes = key, .n = t->key_size};
    if (t->kind == KEY_STRING) {
        const char *text = *(const char *const *)key;
        k.bytes = text ? text : "";
        for (k.n = 0; ((const char *)k.bytes)[k.n]; k.n++) {}
    } else if (t->kind != KEY_BYTES) {
        double d = float_of(t, key);
        if (d == 0)
            d = 0;   /* 0 and -0 are one key */
        if (d != d)
            rt_copy(&d, &t->next_seq, sizeof d);   /* no NaN is like another: spread them */
        k.hash = hash_bytes(t, &d, sizeof d);
        return k;
    }
    k.hash = hash_bytes(t, k.bytes, k.n);
    return k;
}

static bool same_bytes(const char *a, const char *b, size_t n)
{
    for (; n >= 8; n -= 8, a += 8, b += 8) {
        uint64_t x, y;
        __builtin_memcpy(&x, a, 8);
        __builtin_memcpy(&y, b, 8);
        if (x != y)
            return false;
    }
    for (; n > 0; n--)
        if (*a++ != *b++)
            return false;
    return true;
}

static bool has_key(const struct table *t, const char *entry, struct key key)
{
    switch (t->kind) {
    case KEY_STRING: {
        const struct key_string *s = table_key_string(entry);
        return s->n == key.n && same_bytes(s->text, key.bytes, key.n);
    }
    case KEY_BYTES: return same_bytes(entry + HEAD, key.bytes, key.n);
    default: return float_of(t, entry + HEAD) == float_of(t, key.bytes);
    }
}

static void set_key(const struct table *t, char *entry, struct key key)
{
    if (t->kind != KEY_STRING) {
        rt_copy(entry + HEAD, key.bytes, key.n);
        return;
    }
    struct key_string *s = malloc(sizeof *s + key.n + 1);
    if (!s)
        rt_fatal("out of memory for a map's key of %zu bytes", key.n);
    atomic_init(&s->refs, 1);
    s->n = key.n;
    rt_copy(s->text, key.bytes, key.n);
    s->text[key.n] = 0;
    *(struct key_string **)(entry + HEAD) = s;
}

/* ---- the index ---- */

/* The slot of the key, or the empty one where it would go. */
static uint32_t slot_of(const struct table *t, const struct store *s, struct key key)
{
    uint32_t i = key.hash & s->mask;
    for (uint32_t tries = 0; s->slots[i].at && tries < s->mask; tries++, i = (i + 1) & s->mask)
        if (s->slots[i].hash == key.hash && has_key(t, entry_at(t, s, s->slots[i].at - 1), key))
            break;
    return i;
}

static void slot_add(struct store *s, uint32_t hash, uint32_t pos)
{
    uint32_t i = hash & s->mask;
    while (s->slots[i].at)
        i = (i + 1) & s->mask;
    s->slots[i] = (struct slot){hash, pos + 1};
}

/* Empties slot i: whatever had to pass it on the way from its home moves back. */
static void slot_remove(struct store *s, uint32_t i)
{
    for (uint32_t k = (i + 1) & s->mask; s->slots[k].at; k = (k + 1) & s->mask) {
        uint32_t home = s->slots[k].hash & s->mask;
        if (((k - home) & s->mask) >= ((k - i) & s->mask)) {
            s->slots[i] = s->slots[k];
            i = k;
        }
    }
    s->slots[i].at = 0;
}

/* ---- making room ---- */

static struct store *store_new(const struct table *t, size_t live)
{
    uint64_t slots = SLOTS_MIN;
    while (slots / 4 * 3 < live * 2)
        slots *= 2;
    if (slots > (uint64_t)1 << 31)
        rt_fatal("a map of more than %zu entries", live);
    size_t room = (size_t)slots / 4 * 3;
    struct store *s = calloc(1, sizeof *s + slots * sizeof s->slots[0] + room * t->entry_size);
    if (!s)
        rt_fatal("out of memory for a map of %zu entries", live);
    s->mask = (uint32_t)slots - 1;
    s->room = (uint32_t)room;
    s->entries = (char *)&s->slots[slots];
    return s;
}

/* Packs the entries alive into a new store with room for more. They are counted anew: `live` is not to be relied on if two
 * goroutines are writing, a bug that is to be reported and not to end in a smashed heap. */
static void make_room(struct table *t)
{
    struct store *from = t->store;
    size_t live = 0;
    for (uint32_t i = 0; from && i < from->used; i++)
        live += is_alive(entry_at(t, from, i));
    hook_ignore_begin();
    struct store *to = store_new(t, live);
    if (from) {
        uint32_t *moved = malloc(from->used * sizeof *moved);   /* where each one went */
        if (!moved)
            rt_fatal("out of memory for a map of %zu entries", t->live);
        for (uint32_t i = 0; i < from->used; i++) {
            const char *entry = entry_at(t, from, i);
            moved[i] = 0;
            if (is_alive(entry) && to->used < to->room) {
                moved[i] = to->used;
                rt_copy(entry_at(t, to, to->used++), entry, t->entry_size);
            }
        }
        for (uint32_t i = 0; i <= from->mask; i++)
            if (from->slots[i].at)
                slot_add(to, from->slots[i].hash, moved[from->slots[i].at - 1]);
        free(moved);
    }
    free(t->former);
    hook_ignore_end();
    t->former = from;
    t->generation++;
    __atomic_store_n(&t->store, to, __ATOMIC_RELEASE);   /* for readers that race: whole or not at all */
}

static const struct store *store_of(const struct table *t)
{
    return __atomic_load_n(&t->store, __ATOMIC_ACQUIRE);
}

/* ---- operations ---- */

void table_init(struct table *t, size_t key_size, size_t value_size, enum key_kind kind)
{
    static _Atomic(uint64_t) salt;
    uint64_t seed = ctx_cycles() + 0x9e3779b97f4a7c15u * (1 + atomic_fetch_add_explicit(&salt, 1, memory_order_relaxed));
    seed ^= (uintptr_t)t ^ (uint64_t)os_now() << 20;
    *t = (struct table){.kind = kind, .key_size = (uint32_t)key_size, .value_size = (uint32_t)value_size, .seed = seed, .next_seq = 1};
    t->value_off = HEAD + round8(key_size);
    t->entry_size = t->value_off + round8(value_size);
}

char *table_find(const struct table *t, struct key key)
{
    const struct store *s = store_of(t);
    if (!s)
        return NULL;
    struct slot found = s->slots[slot_of(t, s, key)];
    return found.at ? entry_at(t, s, found.at - 1) : NULL;
}

char *table_insert(struct table *t, struct key key, bool *fresh)
{
    char *entry = table_find(t, key);
    *fresh = entry == NULL;
    if (entry)
        return entry;
    if (!t->store || t->store->used == t->store->room)
        make_room(t);
    struct store *s = t->store;
    entry = entry_at(t, s, s->used);
    set_key(t, entry, key);
    *(uint64_t *)entry = t->next_seq++ << 1 | 1;
    slot_add(s, key.hash, s->used++);
    t->live++;
    return entry;
}

/* Nothing is alive: the array starts again. */
static void start_again(struct table *t)
{
    t->live = 0;
    t->store->used = 0;
    t->generation++;
}

bool table_remove(struct table *t, struct key key, void *value)
{
    struct store *s = t->store;
    if (!s)
        return false;
    uint32_t i = slot_of(t, s, key);
    if (!s->slots[i].at)
        return false;
    char *entry = entry_at(t, s, s->slots[i].at - 1);
    if (value)
        rt_copy(value, table_value(t, entry), t->value_size);
    slot_remove(s, i);
    *(uint64_t *)entry &= ~(uint64_t)1;
    if (t->kind == KEY_STRING)
        key_string_release(table_key_string(entry));   /* last: the caller's key may be this one */
    if (--t->live == 0)
        start_again(t);
    return true;
}

static void release_keys(struct table *t)
{
    for (uint32_t i = 0; t->kind == KEY_STRING && t->store && i < t->store->used; i++)
        if (is_alive(entry_at(t, t->store, i)))
            key_string_release(table_key_string(entry_at(t, t->store, i)));
}

void table_clear(struct table *t)
{
    if (t->live == 0)
        return;
    release_keys(t);
    for (uint32_t i = 0; i <= t->store->mask; i++)
        t->store->slots[i].at = 0;
    start_again(t);
}

void table_destroy(struct table *t)
{
    release_keys(t);
    hook_ignore_begin();
    free(t->store);
    free(t->former);
    hook_ignore_end();
    t->store = t->former = NULL;
    t->live = 0;
}

/* ---- iteration ---- */

/* The first position whose sequence number is above `last`. */
static uint32_t position_after(const struct table *t, const struct store *s, uint64_t last)
{
    uint32_t lo = 0, hi = s->used;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (seq_of(entry_at(t, s, mid)) > last)
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo;
}

char *table_next(const struct table *t, struct table_iter *it, uint32_t random)
{
    const struct store *s = store_of(t);
    if (it->phase == ITER_DONE || !s || s->used == 0) {
        it->phase = ITER_DONE;
        return NULL;
    }
    if (it->phase == ITER_FRESH) {
        it->pos = random % s->used;
        it->start = seq_of(entry_at(t, s, it->pos));
        it->end = t->next_seq;
        it->phase = ITER_TO_END;
    } else if (it->generation != t->generation) {
        it->pos = position_after(t, s, it->last);
    }
    it->generation = t->generation;
    for (;;) {
        if (it->pos >= s->used || seq_of(entry_at(t, s, it->pos)) >= (it->phase == ITER_TO_START ? it->start : it->end)) {
            if (it->phase == ITER_TO_START) {
                it->phase = ITER_DONE;
                return NULL;
            }
            it->phase = ITER_TO_START;
            it->pos = 0;
            it->last = 0;
            continue;
        }
        char *entry = entry_at(t, s, it->pos++);
        it->last = seq_of(entry);
        if (is_alive(entry))
            return entry;
    }
}

bool table_is_valid(const struct table *t)
{
    const struct store *s = t->store;
    if (!s)
        return t->live == 0;
    size_t live = 0, slots = 0;
    bool ok = s->used <= s->room && s->room <= s->mask;
    for (uint32_t i = 0; i < s->used; i++) {
        live += is_alive(entry_at(t, s, i));
        ok = ok && (i == 0 || seq_of(entry_at(t, s, i)) > seq_of(entry_at(t, s, i - 1)));
    }
    for (uint32_t i = 0; i <= s->mask; i++) {
        if (!s->slots[i].at)
            continue;
        slots++;
        ok = ok && s->slots[i].at <= s->used && is_alive(entry_at(t, s, s->slots[i].at - 1));
        for (uint32_t k = s->slots[i].hash & s->mask; ok && k != i; k = (k + 1) & s->mask)
            ok = s->slots[k].at != 0;
    }
    return ok && live == t->live && slots == live;
}
