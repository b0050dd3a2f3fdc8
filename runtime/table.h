/* The hash table under go_map and go_sync_map. No locks, no hooks: its clients see to both.
 *
 * Entries lie in the order of their insertion in one array; an index of slots (position, hash) leads from a key to its entry
 * by open addressing. An iteration walks the array and is indifferent to what happens to the index. Each entry has a sequence
 * number that grows along the array, so when the array was packed or grown between two steps, or cleared, the iteration finds
 * its place again by binary search: each entry that was there when it began and is not deleted comes exactly once, one deleted
 * before its turn never, one inserted meanwhile not (Go: at most once), so that a loop which inserts has an end.
 *
 * Why not a packaged table: with uthash a deletion of the next entry leaves an iteration with a freed pointer, a random start
 * means walking a list, and each entry is a block of its own with 56 bytes of links. The hash function is packaged: XXH3 with
 * a seed of each table's own.
 *
 * The previous arrays are kept until the next growth: a reader that races with a writer (a bug that go_map is to detect and
 * say) then reads old memory, not freed memory, and lives to say it. */
#ifndef RT_TABLE_H
#define RT_TABLE_H

#include "base.h"

enum key_kind { KEY_BYTES, KEY_STRING, KEY_FLOAT, KEY_DOUBLE };   /* what gort/map.h passes */

/* A string key's copy. The table has one reference. */
struct key_string {
    atomic_uint refs;
    size_t n;
    char text[];
};

struct table {
    enum key_kind kind;
    uint32_t key_size, value_size;   /* as the client sees them; of a string the key is a const char * */
    uint32_t value_off, entry_size;
    uint64_t seed;
    size_t live;                     /* entries */
    uint64_t next_seq;
    uint32_t generation;             /* counts what moves entries */
    struct store *store, *former;    /* NULL: none yet */
};

/* A key to look for: its bytes (of a string its text) and hash. */
struct key {
    const void *bytes;
    size_t n;
    uint32_t hash;
};

struct table_iter {
    uint64_t start, last, end;       /* sequence numbers: where it began, what came last, the first of what was inserted since */
    uint32_t pos, generation;
    enum { ITER_FRESH, ITER_TO_END, ITER_TO_START, ITER_DONE } phase;
};

void table_init(struct table *t, size_t key_size, size_t value_size, enum key_kind kind);
/* Frees all it holds. */
void table_destroy(struct table *t);
/* key: the address of a key. A NULL string is taken for an empty one. */
struct key table_key(const struct table *t, const void *key);
/* The entry, or NULL. */
char *table_find(const struct table *t, struct key key);
/* The entry, made if there was none (*fresh: the caller must write the value). Ends the program if there is no memory. */
char *table_insert(struct table *t, struct key key, bool *fresh);
/* Removes; copies the value to *value first, if that is not NULL. False: there was none. */
bool table_remove(struct table *t, struct key key, void *value);
/* Removes all. */
void table_clear(struct table *t);
/* The next entry; NULL: that was all. A fresh iteration is all zeros; random picks where it starts. */
char *table_next(const struct table *t, struct table_iter *it, uint32_t random);
/* The key as the client sees it, and the place of the value. */
void table_copy_key(const struct table *t, const char *entry, void *key);
static inline void *table_value(const struct table *t, char *entry)
{
    return entry + t->value_off;
}
struct key_string *table_key_string(const char *entry);
void key_string_release(struct key_string *s);
bool table_is_valid(const struct table *t);

#endif
