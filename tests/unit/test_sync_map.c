/* go_sync_map: each operation alone, random ones against a model, and many goroutines at once. */
#include <criterion/criterion.h>
#include <gort.h>
#include <stdio.h>
#include <stdlib.h>

static void *num(intptr_t n)
{
    return (void *)n;
}

Test(sync_map, operations)
{
    go_sync_map m = GO_SYNC_MAP_STRINGS_INIT;
    void *v = num(99);
    cr_assert_not(go_sync_map_load(&m, "a", &v));
    cr_assert_null(v);
    cr_assert_not(go_sync_map_load_and_delete(&m, "a", &v));
    cr_assert_not(go_sync_map_compare_and_swap(&m, "a", NULL, num(1)));
    go_sync_map_delete(&m, "a");
    go_sync_map_store(&m, "a", num(1));
    cr_assert(go_sync_map_load(&m, "a", &v) && v == num(1));
    cr_assert(go_sync_map_load(&m, "a", NULL));
    cr_assert(go_sync_map_load_or_store(&m, "a", num(2), &v) && v == num(1));
    cr_assert_not(go_sync_map_load_or_store(&m, "b", num(2), &v));
    cr_assert_eq(v, num(2));
    cr_assert(go_sync_map_swap(&m, "b", num(3), &v) && v == num(2));
    cr_assert_not(go_sync_map_swap(&m, "c", num(4), &v));
    cr_assert_null(v);
    cr_assert_eq(go_sync_map_len(&m), 3);
    cr_assert_not(go_sync_map_compare_and_swap(&m, "b", num(2), num(5)));
    cr_assert(go_sync_map_compare_and_swap(&m, "b", num(3), num(5)));
    cr_assert_not(go_sync_map_compare_and_swap(&m, "d", NULL, num(5)));
    cr_assert_not(go_sync_map_compare_and_delete(&m, "b", num(3)));
    cr_assert(go_sync_map_compare_and_delete(&m, "b", num(5)));
    cr_assert(go_sync_map_load_and_delete(&m, "c", &v) && v == num(4));
    go_sync_map_delete(&m, "a");
    cr_assert_eq(go_sync_map_len(&m), 0);
    go_sync_map_free(&m);
    go_sync_map_store(&m, "again", NULL);
    cr_assert(go_sync_map_load(&m, "again", &v));
    go_sync_map_clear(&m);
    cr_assert_not(go_sync_map_load(&m, "again", &v));
    go_sync_map_free(&m);
}

static bool count_down(const void *key, void *value, void *arg)
{
    (void)key;
    (void)value;
    return --*(int *)arg > 0;
}

struct seen { go_sync_map *m; int n[2000]; };

static bool see(const void *key, void *value, void *arg)
{
    struct seen *s = arg;
    intptr_t k = (intptr_t)key;
    cr_assert_eq(value, num(k * 2));
    s->n[k]++;
    go_sync_map_delete(s->m, num(k));            /* changing the map, and blocking, are allowed */
    if (k < 1000)                                /* else one that was stored meanwhile */
        go_sync_map_store(s->m, num(k + 1000), num(k * 2 + 2000));
    if (k % 100 == 0)
        go_yield();
    return true;
}

Test(sync_map, range)
{
    go_sync_map m = GO_SYNC_MAP_INIT;
    int n = 5;
    go_sync_map_range(&m, count_down, &n);
    cr_assert_eq(n, 5);
    static struct seen s;
    s.m = &m;
    for (intptr_t i = 0; i < 1000; i++)
        go_sync_map_store(&m, num(i), num(i * 2));
    go_sync_map_range(&m, count_down, &n);
    cr_assert_eq(n, 0);
    go_sync_map_range(&m, see, &s);
    for (int i = 0; i < 1000; i++)
        cr_assert_eq(s.n[i], 1);
    for (int i = 1000; i < 2000; i++)
        cr_assert_leq(s.n[i], 1);
    go_sync_map_free(&m);
}

static bool check_string(const void *key, void *value, void *arg)
{
    go_sync_map *m = arg;
    int n = atoi(key);
    cr_assert_eq(value, num(n));
    go_sync_map_delete(m, key);       /* the map's copy is still good until we return */
    cr_assert_eq(atoi(key), n);
    return true;
}

Test(sync_map, range_of_strings)
{
    go_sync_map m = GO_SYNC_MAP_STRINGS_INIT;
    char text[20];
    for (int i = 0; i < 5000; i++) {
        snprintf(text, sizeof text, "%d", i);
        go_sync_map_store(&m, text, num(i));
    }
    go_sync_map_range(&m, check_string, &m);
    cr_assert_eq(go_sync_map_len(&m), 0);
    go_sync_map_free(&m);
}

Test(sync_map, fuzz_against_a_model)
{
    enum { KEYS = 500 };
    unsigned s = 17;
    void *model[KEYS] = {NULL};   /* NULL: not there */
    go_sync_map m = GO_SYNC_MAP_INIT;
    for (int step = 1; step < 100000; step++) {
        intptr_t k = rand_r(&s) % KEYS;
        void *v, *was = model[k], *old = rand_r(&s) % 2 ? was : num(step - 1);
        switch (rand_r(&s) % 8) {
        case 0: go_sync_map_store(&m, num(k), num(step)); model[k] = num(step); break;
        case 1: go_sync_map_delete(&m, num(k)); model[k] = NULL; break;
        case 2: cr_assert_eq(go_sync_map_load(&m, num(k), &v), was != NULL); cr_assert_eq(v, was); break;
        case 3:
            cr_assert_eq(go_sync_map_load_or_store(&m, num(k), num(step), &v), was != NULL);
            cr_assert_eq(v, was ? was : num(step));
            model[k] = v;
            break;
        case 4: cr_assert_eq(go_sync_map_load_and_delete(&m, num(k), &v), was != NULL); cr_assert_eq(v, was); model[k] = NULL; break;
        case 5: cr_assert_eq(go_sync_map_swap(&m, num(k), num(step), &v), was != NULL); cr_assert_eq(v, was); model[k] = num(step); break;
        case 6:
            cr_assert_eq(go_sync_map_compare_and_swap(&m, num(k), old, num(step)), was && old == was);
            if (was && old == was)
                model[k] = num(step);
            break;
        case 7:
            cr_assert_eq(go_sync_map_compare_and_delete(&m, num(k), old), was && old == was);
            if (was && old == was)
                model[k] = NULL;
            break;
        }
    }
    go_sync_map_free(&m);
}

/* Counters that many goroutines raise by compare-and-swap: none is lost. */
static void raise_all(go_sync_map *m, unsigned seed, go_waitgroup *wg)
{
    char key[20];
    for (int i = 0; i < 3000; i++) {
        snprintf(key, sizeof key, "%d", rand_r(&seed) % 20);
        for (;;) {
            void *v;
            if (!go_sync_map_load_or_store(m, key, num(1), &v))
                break;
            if (go_sync_map_compare_and_swap(m, key, v, num((intptr_t)v + 1)))
                break;
        }
        if (i % 64 == 0)
            go_yield();
    }
    go_waitgroup_done(wg);
}

static bool add_up(const void *key, void *value, void *arg)
{
    (void)key;
    *(intptr_t *)arg += (intptr_t)value;
    return true;
}

Test(sync_map, concurrent_counters)
{
    go_sync_map m = GO_SYNC_MAP_STRINGS_INIT;
    go_waitgroup wg = GO_WAITGROUP_INIT;
    go_waitgroup_add(&wg, 16);
    for (unsigned i = 0; i < 16; i++)
        go(raise_all, &m, i, &wg);
    go_waitgroup_wait(&wg);
    intptr_t sum = 0;
    go_sync_map_range(&m, add_up, &sum);
    cr_assert_eq(sum, 16 * 3000);
    cr_assert_eq(go_sync_map_len(&m), 20);
    go_sync_map_free(&m);
}

/* Everything at once, deletes, ranges and clears included; keys and values must always fit together. */
static bool fits(const void *key, void *value, void *arg)
{
    (void)arg;
    cr_assert_eq(atoi(key), (intptr_t)value);
    return true;
}

static void mixed(go_sync_map *m, unsigned seed, go_waitgroup *wg)
{
    char key[20];
    for (int i = 0; i < 3000; i++) {
        int k = rand_r(&seed) % 300;
        void *v;
        snprintf(key, sizeof key, "%d", k);
        switch (rand_r(&seed) % 6) {
        case 0: case 1: go_sync_map_store(m, key, num(k)); break;
        case 2: go_sync_map_delete(m, key); break;
        case 3: if (go_sync_map_load(m, key, &v)) cr_assert_eq(v, num(k)); break;
        case 4: if (go_sync_map_load_and_delete(m, key, &v)) cr_assert_eq(v, num(k)); break;
        case 5:
            if (i % 50 == 0)
                go_sync_map_range(m, fits, NULL);
            else if (i % 331 == 0)
                go_sync_map_clear(m);
            break;
        }
    }
    go_waitgroup_done(wg);
}

Test(sync_map, concurrent_mix)
{
    go_sync_map m = GO_SYNC_MAP_STRINGS_INIT;
    go_waitgroup wg = GO_WAITGROUP_INIT;
    go_waitgroup_add(&wg, 12);
    for (unsigned i = 0; i < 12; i++)
        go(mixed, &m, i + 100, &wg);
    go_waitgroup_wait(&wg);
    go_sync_map_free(&m);
}
