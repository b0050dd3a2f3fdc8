/* go_map against a naive model, its key types, and Go's rules for iterations that change the map. */
#include <criterion/criterion.h>
#include <gort.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <table.h>

struct point { int x, y; };
enum colour { RED, GREEN };

Test(map, ints)
{
    go_map(int, double) m = go_make_map(int, double);
    double v = 9;
    cr_assert_not(go_map_get(m, 1, &v));
    cr_assert_eq(v, 0);
    go_map_set(m, 1, 0.5);
    go_map_set(m, 1, 2);
    cr_assert(go_map_get(m, 1L, &v));
    cr_assert_eq(v, 2);
    cr_assert(go_map_get(m, 1, NULL));
    cr_assert_eq(go_map_len(m), 1);
    cr_assert(go_map_delete(m, 1));
    cr_assert_not(go_map_delete(m, 1));
    cr_assert_eq(go_map_len(m), 0);
    go_map_free(m);
}

Test(map, nil)
{
    go_map(int, int) m = NULL;
    int k = 1, v = 5;
    cr_assert_not(go_map_get(m, 1, &v));
    cr_assert_eq(v, 0);
    cr_assert_not(go_map_delete(m, 1));
    cr_assert_eq(go_map_len(m), 0);
    go_map_clear(m);
    go_map_each(m, &k, &v)
        cr_assert(false);
    go_map_free(m);
}

Test(map, structs_and_other_types)
{
    go_map(struct point, struct point) p = go_make_map(struct point, struct point);
    const struct point key = {1, 2};
    struct point v;
    go_map_set(p, key, (struct point){3, 4});
    go_map_set(p, ((struct point){5, 6}), key);
    cr_assert(go_map_get(p, ((struct point){1, 2}), &v) && v.x == 3 && v.y == 4);
    cr_assert(go_map_get(p, ((struct point){5, 6}), &v) && v.x == 1);
    cr_assert_not(go_map_get(p, ((struct point){2, 1}), &v));
    go_map_free(p);

    go_map(enum colour, int) e = go_make_map(enum colour, int);
    enum colour red = RED;
    go_map_set(e, red, 1);
    go_map_set(e, GREEN, 2);
    int n;
    cr_assert(go_map_get(e, RED, &n) && n == 1);
    go_map_free(e);

    go_map(bool, int) b = go_make_map(bool, int);
    go_map_set(b, 1, 1);
    go_map_set(b, true, 7);
    cr_assert(go_map_get(b, true, &n) && n == 7 && go_map_len(b) == 1);
    go_map_free(b);

    go_map(const void *, int) a = go_make_map(const void *, int);
    char x[2];
    go_map_set(a, x, 1);
    go_map_set(a, &x[1], 2);
    go_map_set(a, &key, 3);
    cr_assert(go_map_get(a, x, &n) && n == 1);
    cr_assert(go_map_get(a, &key, &n) && n == 3);
    go_map_free(a);
    go_map(void *, int) w = go_make_map(void *, int);
    go_map_set(w, x, 1);
    cr_assert(go_map_get(w, &x[0], &n) && n == 1 && !go_map_get(w, NULL, &n));
    go_map_free(w);

    go_map(const struct point *, int) q = go_make_map(const struct point *, int);
    struct point mine = {0, 0};
    go_map_set(q, &mine, 1);
    go_map_set(q, &key, 2);
    cr_assert(go_map_get(q, &mine, &n) && n == 1);
    go_map_free(q);

    go_map(uint8_t, uint64_t) u = go_make_map(uint8_t, uint64_t);
    int more = 300;
    go_map_set(u, more, UINT64_MAX);   /* as an assignment: 300 becomes 44 */
    uint64_t big;
    cr_assert(go_map_get(u, 44, &big) && big == UINT64_MAX);
    go_map_free(u);
}

Test(map, floats)
{
    go_map(double, int) m = go_make_map(double, int);
    int v;
    go_map_set(m, 0.0, 1);
    go_map_set(m, -0.0, 2);
    cr_assert_eq(go_map_len(m), 1);
    cr_assert(go_map_get(m, 0, &v) && v == 2);
    for (int i = 0; i < 1000; i++)
        go_map_set(m, NAN, i);
    cr_assert_eq(go_map_len(m), 1001);   /* no NaN equals another */
    cr_assert_not(go_map_get(m, NAN, &v));
    cr_assert_not(go_map_delete(m, NAN));
    go_map_clear(m);
    cr_assert_eq(go_map_len(m), 0);
    go_map_free(m);
    go_map(float, int) f = go_make_map(float, int);
    go_map_set(f, 1.5f, 3);
    cr_assert(go_map_get(f, 1.5, &v) && v == 3);
    go_map_free(f);
}

Test(map, strings_are_copied_and_compared_by_content)
{
    go_string_map(int) m = go_make_string_map(int);
    char text[300];
    int v;
    for (int i = 0; i < 1000; i++) {
        memset(text, 'a', sizeof text);
        snprintf(text + i % 250, 20, "%d", i);
        go_map_set(m, text, i);
    }
    cr_assert_eq(go_map_len(m), 1000);
    for (int i = 0; i < 1000; i++) {
        memset(text, 'a', sizeof text);
        snprintf(text + i % 250, 20, "%d", i);
        cr_assert(go_map_get(m, text, &v) && v == i);
    }
    go_map_set(m, "literal", 5);
    go_map_set(m, "", 6);
    cr_assert(go_map_get(m, "literal", &v) && v == 5);
    cr_assert(go_map_get(m, "", &v) && v == 6);
    const char *k;
    int n = 0;
    go_map_each(m, &k, &v) {
        n++;
        cr_assert(go_map_delete(m, k));   /* its own copy */
    }
    cr_assert_eq(n, 1002);
    cr_assert_eq(go_map_len(m), 0);
    go_map_free(m);
}

/* Random sets, deletes, gets and clears, with the model an array indexed by key. */
Test(map, fuzz_against_a_model)
{
    enum { KEYS = 700 };
    for (unsigned seed = 1; seed <= 12; seed++) {
        unsigned s = seed;
        struct { bool there; long v; } model[KEYS] = {{0}};
        go_map(long, long) m = go_make_map(long, long);
        go_string_map(long) names = go_make_string_map(long);
        size_t count = 0;
        for (int step = 0; step < 40000; step++) {
            int phase = step / 4000 % 3;   /* grow, balance, shrink */
            long k = rand_r(&s) % KEYS, v;
            char name[20];
            snprintf(name, sizeof name, "key %ld", k);
            unsigned dice = rand_r(&s) % 10;
            if (dice == 9 && rand_r(&s) % 500 == 0) {
                go_map_clear(m);
                go_map_clear(names);
                memset(model, 0, sizeof model);
                count = 0;
            } else if (dice < (phase == 0 ? 6u : phase == 1 ? 4u : 2u)) {
                go_map_set(m, k, step);
                go_map_set(names, name, step);
                count += !model[k].there;
                model[k].there = true;
                model[k].v = step;
            } else if (dice < 8) {
                cr_assert_eq(go_map_delete(m, k), model[k].there);
                cr_assert_eq(go_map_delete(names, name), model[k].there);
                count -= model[k].there;
                model[k].there = false;
            } else {
                cr_assert_eq(go_map_get(m, k, &v), model[k].there, "seed %u step %d key %ld", seed, step, k);
                cr_assert_eq(v, model[k].there ? model[k].v : 0);
                cr_assert_eq(go_map_get(names, name, &v), model[k].there);
                cr_assert_eq(v, model[k].there ? model[k].v : 0);
            }
            cr_assert_eq(go_map_len(m), count);
            if (step % 1000 == 0) {
                long k2, v2;
                size_t seen = 0;
                go_map_each(m, &k2, &v2) {
                    cr_assert(model[k2].there && model[k2].v == v2);
                    seen++;
                }
                cr_assert_eq(seen, count);
            }
        }
        go_map_free(m);
        go_map_free(names);
    }
}

/* A loop that inserts, or deletes and sets anew what comes, has an end. */
Test(map, a_loop_that_inserts_ends, .timeout = 60)
{
    for (int renews = 0; renews < 2; renews++) {
        go_map(int, int) m = go_make_map(int, int);
        for (int i = 0; i < 10; i++)
            go_map_set(m, i, i);
        int k, v, n = 0;
        go_map_each(m, &k, &v) {
            n++;
            if (renews)
                go_map_delete(m, k);
            go_map_set(m, renews ? k : k + 10, v);
        }
        cr_assert_eq(n, 10);
        cr_assert_eq(go_map_len(m), renews ? 10 : 20);
        go_map_free(m);
    }
}

/* Go's rules while the map changes under an iteration: what was there at the start and not deleted comes once, what was deleted before its
 * turn not at all, what was inserted at most once (in fact not at all). */
Test(map, fuzz_iterations_that_change_the_map)
{
    enum { KEYS = 4000 };
    unsigned s = 3;
    for (int round = 0; round < 600; round++) {
        go_map(int, int) m = go_make_map(int, int);
        static bool at_start[KEYS], touched[KEYS];
        static int seen[KEYS];
        memset(at_start, 0, sizeof at_start);
        memset(touched, 0, sizeof touched);
        memset(seen, 0, sizeof seen);
        int n = rand_r(&s) % 300;
        for (int i = 0; i < n; i++) {
            int k = rand_r(&s) % 500;
            go_map_set(m, k, k);
            at_start[k] = true;
            if (rand_r(&s) % 3 == 0) {
                go_map_delete(m, k);
                at_start[k] = false;
            }
        }
        int k, v, next = 500, kind = round % 5;
        go_map_each(m, &k, &v) {
            cr_assert_eq(k, v);
            cr_assert(go_map_get(m, k, NULL), "a deleted key came");
            cr_assert_eq(seen[k]++, 0);
            for (int j = rand_r(&s) % 6; j > 0; j--) {
                int x = rand_r(&s) % 500;
                switch (kind) {
                case 0:   /* nothing changes */
                    break;
                case 1:   /* deletes, the current one too */
                    x = j == 1 ? k : x;
                    go_map_delete(m, x);
                    touched[x] = true;
                    break;
                case 2:   /* inserts new keys: the table grows */
                    if (next < KEYS) {
                        go_map_set(m, next, next);
                        next++;
                    }
                    break;
                case 3:   /* both: the table is packed */
                    go_map_delete(m, x);
                    touched[x] = true;
                    if (next < KEYS) {
                        go_map_set(m, next, next);
                        next++;
                    }
                    break;
                case 4:   /* clears, once */
                    if (rand_r(&s) % 200 == 0) {
                        go_map_clear(m);
                        memset(touched, 1, sizeof touched);
                    }
                    break;
                }
            }
        }
        for (int i = 0; i < 500; i++)
            if (at_start[i] && !touched[i])
                cr_assert_eq(seen[i], 1, "round %d: key %d came %d times", round, i, seen[i]);
            else if (!at_start[i])
                cr_assert_eq(seen[i], 0);
        go_map_free(m);
    }
}

Test(map, iterations_start_anywhere)
{
    go_map(int, int) m = go_make_map(int, int);
    int first[8] = {0}, k;
    for (int i = 0; i < 8; i++)
        go_map_set(m, i, i);
    for (int i = 0; i < 4000; i++)
        go_map_each(m, &k, NULL) {
            first[k]++;
            break;
        }
    for (int i = 0; i < 8; i++)
        cr_assert(first[i] > 250 && first[i] < 1000, "%d began %d of 4000", i, first[i]);
    go_map_free(m);
}

Test(map, large)
{
    enum { N = 1000000 };
    go_map(uint64_t, uint32_t) m = go_make_map(uint64_t, uint32_t);
    for (uint64_t i = 0; i < N; i++)
        go_map_set(m, i << 32, (uint32_t)i);
    cr_assert_eq(go_map_len(m), N);
    uint32_t v;
    for (uint64_t i = 0; i < N; i++)
        cr_assert(go_map_get(m, i << 32, &v) && v == i);
    for (uint64_t i = 0; i < N; i++)
        cr_assert(go_map_delete(m, i << 32));
    cr_assert_eq(go_map_len(m), 0);
    go_map_free(m);
}

/* Readers alone disturb nobody. */
static void read_all(go_map(int, int) m, go_waitgroup *wg)
{
    int v, k;
    for (int i = 0; i < 20000; i++)
        cr_assert(go_map_get(m, i % 1000, &v) && v == i % 1000);
    go_map_each(m, &k, &v)
        cr_assert_eq(k, v);
    go_waitgroup_done(wg);
}

Test(map, concurrent_readers)
{
    go_map(int, int) m = go_make_map(int, int);
    for (int i = 0; i < 1000; i++)
        go_map_set(m, i, i);
    go_waitgroup wg = GO_WAITGROUP_INIT;
    go_waitgroup_add(&wg, 8);
    for (int i = 0; i < 8; i++)
        go(read_all, m, &wg);
    go_waitgroup_wait(&wg);
    go_map_free(m);
}

/* The table's own invariants through growth, packing and shifting back, with hashes that collide since the table is small. */
Test(map, table_invariants)
{
    unsigned s = 11;
    struct table t;
    table_init(&t, sizeof(int), sizeof(int), KEY_BYTES);
    for (int step = 0; step < 60000; step++) {
        int k = rand_r(&s) % (step % 3000 < 1500 ? 2000 : 30);
        bool fresh;
        if (rand_r(&s) % 2)
            *(int *)table_value(&t, table_insert(&t, table_key(&t, &k), &fresh)) = k;
        else
            table_remove(&t, table_key(&t, &k), NULL);
        if (step % 50 == 0)
            cr_assert(table_is_valid(&t), "step %d", step);
    }
    table_destroy(&t);
}
