/* The pool: what was put is got, once; make and drop; nothing lost however many put and get. */
#include <criterion/criterion.h>
#include <gort.h>
#include <stdlib.h>

static go_waitgroup wg;
static _Atomic(int) made, dropped;

static void *make(void *arg)
{
    ++made;
    return calloc(1, *(size_t *)arg);
}

static void drop(void *object)
{
    ++dropped;
    free(object);
}

Test(pool, zeroed)
{
    static go_pool p;
    int a, b;
    cr_assert_null(go_pool_get(&p));
    go_pool_put(&p, NULL);
    cr_assert_null(go_pool_get(&p));
    go_pool_put(&p, &a);
    go_pool_put(&p, &b);
    void *x = go_pool_get(&p), *y = go_pool_get(&p);
    cr_assert((x == &a && y == &b) || (x == &b && y == &a));
    cr_assert_null(go_pool_get(&p));
    go_pool_clear(&p);
}

Test(pool, makes_and_drops)
{
    size_t size = 32;
    go_pool p = {.make = make, .drop = drop, .arg = &size};
    void *x[200];
    for (int i = 0; i < 200; i++)
        cr_assert_not_null(x[i] = go_pool_get(&p));
    cr_assert_eq(made, 200);
    for (int i = 0; i < 200; i++)
        go_pool_put(&p, x[i]);
    cr_assert_eq(dropped, 0);
    for (int i = 0; i < 100; i++)
        x[i] = go_pool_get(&p);
    cr_assert_eq(made, 200, "a get made an object though there were some");
    go_pool_clear(&p);
    cr_assert_eq(dropped, 100);
    for (int i = 0; i < 100; i++)
        go_pool_put(&p, x[i]);   /* a cleared pool is as good as new */
    go_pool_clear(&p);
    cr_assert_eq(dropped, 200);
}

/* Up and down over the edges of chunks; each object is there once. */
Test(pool, any_number)
{
    enum { N = 1000 };
    static go_pool p;
    static int object[N], seen[N];
    uint32_t r = 12345;
    int in = 0;
    static int *out[N];
    int nout = N;
    for (int i = 0; i < N; i++)
        out[i] = &object[i];
    for (int i = 0; i < 200000; i++) {
        r = r * 1664525 + 1013904223;
        bool put = (r >> 16) % 2;
        for (unsigned k = (r >> 20) % 100; k > 0; k--) {
            if (put && nout > 0) {
                go_pool_put(&p, out[--nout]);
                in++;
            } else if (!put) {
                void *x = go_pool_get(&p);
                cr_assert_eq(x != NULL, in > 0);
                if (x) {
                    out[nout++] = x;
                    in--;
                }
            }
        }
    }
    for (void *x; (x = go_pool_get(&p));)
        out[nout++] = x;
    cr_assert_eq(nout, N);
    for (int i = 0; i < N; i++)
        seen[out[i] - object]++;
    for (int i = 0; i < N; i++)
        cr_assert_eq(seen[i], 1);
    go_pool_clear(&p);
}

/* The object is the getter's alone. */
struct thing {
    _Atomic(int) users;
};

static void use(go_pool *p, int n)
{
    struct thing *held[10];
    for (int i = 0; i < n; i++) {
        int k = 1 + i % 10;
        for (int j = 0; j < k; j++) {
            held[j] = go_pool_get(p);
            cr_assert_eq(++held[j]->users, 1);
        }
        if (i % 16 == 0)
            go_yield();
        for (int j = 0; j < k; j++) {
            --held[j]->users;
            go_pool_put(p, held[j]);
        }
    }
    go_waitgroup_done(&wg);
}

Test(pool, objects_have_one_user)
{
    size_t size = sizeof(struct thing);
    static go_pool p;
    p = (go_pool){.make = make, .drop = drop, .arg = &size};
    go_maxprocs(4);
    go_waitgroup_add(&wg, 12);
    for (int i = 0; i < 12; i++)
        go(use, &p, 3000);
    for (int i = 0; i < 20; i++) {   /* clearing at the same time is allowed */
        go_sleep(100 * GO_MICROSECOND);
        go_pool_clear(&p);
    }
    go_waitgroup_wait(&wg);
    go_pool_clear(&p);
    cr_assert_eq(made, dropped);
    cr_assert_gt(made, 0);
}

/* What one P put, another finds. */
static void put_one(go_pool *p, int *x)
{
    go_pool_put(p, x);
    go_waitgroup_done(&wg);
}

Test(pool, found_from_anywhere)
{
    static go_pool p;
    static int x;
    for (int i = 0; i < 200; i++) {
        go_waitgroup_add(&wg, 1);
        go(put_one, &p, &x);
        go_waitgroup_wait(&wg);
        cr_assert_eq(go_pool_get(&p), &x);   /* main is a thread without a P */
    }
    go_pool_clear(&p);
}
