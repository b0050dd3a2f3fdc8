/* A hash map for any number of goroutines at once. After Go's sync.Map (src/sync/map.go), whose names it has, with a count
 * besides.
 *
 * Keys are pointers, compared as such (an integer: cast it by way of uintptr_t), or strings, compared by content and copied:
 * one or the other for a whole map, said when it is made. Values are pointers that the map does not look behind: what they
 * point to, and when it may be freed, is the program's affair.
 *
 * Ready when all bytes are zero (pointer keys), or GO_SYNC_MAP_INIT, GO_SYNC_MAP_STRINGS_INIT; must not be copied. Takes
 * memory with the first store; go_sync_map_free() gives it back. No memory: the program ends with a message.
 *
 * Every operation but range, len and clear is atomic and constant time on average, some 40 ns; operations on different keys
 * hardly meet. None waits for another goroutine. A store (or swap, delete, clear: any that changes the map) happens before
 * each load (or any that reads) that sees its effect. */
#ifndef GORT_SYNC_MAP_H
#define GORT_SYNC_MAP_H

#include <gort/base.h>

struct gort_shards;

typedef struct go_sync_map {
    _Atomic(struct gort_shards *) shards;
    bool strings;   /* keys are const char * */
} go_sync_map;
#define GO_SYNC_MAP_INIT {NULL, false}
#define GO_SYNC_MAP_STRINGS_INIT {NULL, true}

/* Whether the key has a value, which goes to *value; NULL goes there if not. (In all functions here `value` and the like may
 * be NULL: not wanted.) */
bool go_sync_map_load(go_sync_map *m, const void *key, void **value);
void go_sync_map_store(go_sync_map *m, const void *key, void *value);
/* True: the key had a value, now in *actual. False: it has `value` now, and so has *actual. */
bool go_sync_map_load_or_store(go_sync_map *m, const void *key, void *value, void **actual);
/* Removes the key; whether it was there, and with what. */
bool go_sync_map_load_and_delete(go_sync_map *m, const void *key, void **value);
void go_sync_map_delete(go_sync_map *m, const void *key);
/* Stores; whether the key had a value before, and which. */
bool go_sync_map_swap(go_sync_map *m, const void *key, void *value, void **previous);
/* Stores `value` if the key has the value `old`; whether it did. A key that is not there has none, not even NULL. */
bool go_sync_map_compare_and_swap(go_sync_map *m, const void *key, void *old, void *value);
/* Removes the key if it has the value `old`; whether it did. */
bool go_sync_map_compare_and_delete(go_sync_map *m, const void *key, void *old);

/* Calls fn for each key until it returns false. Not a snapshot of one moment: a key comes at most once, with a value that it
 * had at some moment of the call. fn may use the map, and may block. A string key is good until fn returns. */
void go_sync_map_range(go_sync_map *m, bool (*fn)(const void *key, void *value, void *arg), void *arg);

/* How many keys there are; of one moment only if nobody changes the map. */
size_t go_sync_map_len(const go_sync_map *m);
/* Removes all keys that are there when it comes to their part of the map. */
void go_sync_map_clear(go_sync_map *m);
/* Gives the memory back; the map is empty then. Nobody may use it meanwhile. */
void go_sync_map_free(go_sync_map *m);

#endif
