/* Contexts: who is cancelled, with what, in which order; deep and wide trees; references. */
#include <criterion/criterion.h>
#include <gort.h>
#include <stdlib.h>

#define MS GO_MILLISECOND

static bool is_done(const go_context *c)
{
    return go_try_recv(go_context_done(c), NULL) == GO_RECV_CLOSED;
}

Test(context, background)
{
    go_context *b = go_context_background();
    cr_assert_null(go_context_done(b));
    cr_assert_eq(go_context_err(b), 0);
    cr_assert_not(go_context_deadline(b, NULL));
    cr_assert_null(go_context_value(b, &b));
    go_context_free(b);
    go_context_free(NULL);
    cr_assert_eq(go_context_background(), b);
}

Test(context, cancel_goes_down_not_up)
{
    go_context *a = go_context_with_cancel(go_context_background()), *b = go_context_with_cancel(a), *c = go_context_with_cancel(b),
               *sibling = go_context_with_cancel(a);
    go_context_cancel(b);
    cr_assert(is_done(b) && is_done(c) && !is_done(a) && !is_done(sibling));
    cr_assert_eq(go_context_err(b), GO_ERR_CANCELED);
    cr_assert_eq(go_context_err(c), GO_ERR_CANCELED);
    cr_assert_eq(go_context_err(a), 0);
    cr_assert_eq(go_context_err(sibling), 0);
    go_context_cancel(b);
    go_context *late = go_context_with_timeout(c, GO_HOUR);   /* of a cancelled parent: cancelled from the start */
    cr_assert(is_done(late));
    cr_assert_eq(go_context_err(late), GO_ERR_CANCELED);
    go_context_free(a);
    cr_assert(is_done(sibling));
    go_context_free(sibling);
    go_context_free(late);
    go_context_free(c);
    go_context_free(b);
}

Test(context, freeing_in_any_order)
{
    unsigned seed = 5;
    for (int round = 0; round < 2000; round++) {
        enum { N = 12 };
        go_context *c[N];
        for (int i = 0; i < N; i++) {
            go_context *parent = i ? c[rand_r(&seed) % i] : go_context_background();
            switch (rand_r(&seed) % 3) {
            case 0: c[i] = go_context_with_cancel(parent); break;
            case 1: c[i] = go_context_with_timeout(parent, rand_r(&seed) % 3000000); break;
            default: c[i] = go_context_with_value(parent, &c[i], &c[i]); break;
            }
        }
        for (int i = 0; i < N; i++) {
            int k = i + rand_r(&seed) % (N - i);
            go_context *t = c[k];
            c[k] = c[i];
            go_context_free(t);
        }
    }
}

Test(context, causes)
{
    go_context *a = go_context_with_cancel(go_context_background()), *b = go_context_with_cancel(a);
    cr_assert_eq(go_context_cause(b), 0);
    go_context_cancel_cause(a, GO_ERR_EOF);
    go_context_cancel_cause(a, GO_ERR_CLOSED);
    cr_assert_eq(go_context_err(b), GO_ERR_CANCELED);
    cr_assert_eq(go_context_cause(a), GO_ERR_EOF);
    cr_assert_eq(go_context_cause(b), GO_ERR_EOF);
    go_context_free(b);
    go_context_free(a);
}

Test(context, timeout)
{
    int64_t start = go_now(), at;
    go_context *a = go_context_with_timeout(go_context_background(), 10 * MS), *b = go_context_with_timeout(a, GO_HOUR),
               *v = go_context_with_value(b, &start, &at);
    cr_assert(go_context_deadline(v, &at));
    cr_assert_geq(at - start, 10 * MS);
    cr_assert_lt(at - start, GO_SECOND);
    cr_assert_not(go_recv(go_context_done(v), NULL));
    cr_assert_geq(go_now() - start, 10 * MS);
    cr_assert_eq(go_context_err(a), GO_ERR_DEADLINE);
    cr_assert_eq(go_context_err(b), GO_ERR_DEADLINE);
    cr_assert_eq(go_context_err(v), GO_ERR_DEADLINE);
    go_context_cancel(a);
    cr_assert_eq(go_context_err(a), GO_ERR_DEADLINE);
    go_context_free(a);
    go_context_free(b);
    go_context_free(v);
    go_context *past = go_context_with_deadline(go_context_background(), go_now() - 1);
    cr_assert_eq(go_context_err(past), GO_ERR_DEADLINE);
    go_context_free(past);
    go_context *shorter = go_context_with_timeout(go_context_background(), GO_HOUR), *longer = go_context_with_timeout(shorter, 5 * MS);
    go_recv(go_context_done(longer), NULL);
    cr_assert_eq(go_context_err(longer), GO_ERR_DEADLINE);
    cr_assert_eq(go_context_err(shorter), 0);
    go_context_free(longer);
    go_context_free(shorter);
}

Test(context, values)
{
    static char k1, k2, k3;
    int v1 = 1, v2 = 2, v3 = 3;
    go_context *a = go_context_with_value(go_context_background(), &k1, &v1), *b = go_context_with_cancel(a),
               *c = go_context_with_value(b, &k2, &v2), *d = go_context_with_value(c, &k1, &v3);
    cr_assert_eq(go_context_value(d, &k1), &v3);
    cr_assert_eq(go_context_value(d, &k2), &v2);
    cr_assert_eq(go_context_value(c, &k1), &v1);
    cr_assert_null(go_context_value(d, &k3));
    cr_assert_null(go_context_value(b, NULL));
    cr_assert_null(go_context_done(a));
    cr_assert_eq(go_context_done(d), go_context_done(b));
    go_context_free(a);
    go_context_free(c);   /* d keeps them alive */
    cr_assert_eq(go_context_value(d, &k1), &v3);
    cr_assert_eq(go_context_value(d, &k2), &v2);
    cr_assert_eq(go_context_err(d), 0);
    go_context_free(b);
    cr_assert_eq(go_context_err(d), GO_ERR_CANCELED);
    go_context_free(d);
}

/* 100,000 levels, cancelled at the top, freed from the top and then from the bottom: no recursion. */
Test(context, deep)
{
    enum { N = 100000 };
    for (int order = 0; order < 2; order++) {
        go_context **c = malloc(N * sizeof *c);
        for (int i = 0; i < N; i++)
            c[i] = go_context_with_cancel(i ? c[i - 1] : go_context_background());
        cr_assert_eq(go_context_err(c[N - 1]), 0);
        go_context_cancel(c[1]);
        cr_assert_eq(go_context_err(c[0]), 0);
        for (int i = 1; i < N; i++)
            cr_assert(go_context_err(c[i]) == GO_ERR_CANCELED && is_done(c[i]));
        for (int i = 0; i < N; i++)
            go_context_free(c[order ? i : N - 1 - i]);
        free(c);
    }
}

Test(context, wide)
{
    enum { N = 100000 };
    go_context *top = go_context_with_cancel(go_context_background()), **c = malloc(N * sizeof *c);
    for (int i = 0; i < N; i++)
        c[i] = go_context_with_timeout(top, GO_HOUR + i);
    for (int i = 0; i < N; i += 2)   /* a child that is freed leaves its parent */
        go_context_free(c[i]);
    go_context_cancel(top);
    for (int i = 1; i < N; i += 2) {
        cr_assert_eq(go_context_err(c[i]), GO_ERR_CANCELED);
        go_context_free(c[i]);
    }
    go_context_free(top);
    free(c);
}

static _Atomic(int) woken;

/* Waits with a reference of its own, since the owner frees right after the cancel. */
static void wait_done(go_context *c, go_waitgroup *wg)
{
    go_recv(go_context_done(c), NULL);
    if (go_context_err(c) != 0)
        woken++;
    go_context_release(c);
    go_waitgroup_done(wg);
}

Test(context, wakes_all_who_wait)
{
    for (int round = 0; round < 200; round++) {
        go_waitgroup wg = GO_WAITGROUP_INIT;
        go_context *c = round % 2 ? go_context_with_cancel(go_context_background()) : go_context_with_timeout(go_context_background(), 200000),
                   *child = go_context_with_value(go_context_with_cancel(c), &wg, NULL);
        woken = 0;
        go_waitgroup_add(&wg, 20);
        for (int i = 0; i < 20; i++)
            go(wait_done, go_context_hold(i % 2 ? c : child), &wg);
        if (round % 2) {
            go_yield();
            go_context_free(c);
        }
        go_waitgroup_wait(&wg);
        cr_assert_eq(woken, 20);
        if (round % 2 == 0)
            go_context_free(c);
        go_context_free(child);   /* (the context in between is left to the end of the process) */
    }
}

/* Goroutines derive, cancel and free below one root while others cancel above them: after a cancel returns, all below are cancelled. */
static void worker(go_context *top, unsigned seed, go_waitgroup *wg)
{
    for (int i = 0; i < 400; i++) {
        go_context *a = rand_r(&seed) % 2 ? go_context_with_cancel(top) : go_context_with_timeout(top, rand_r(&seed) % 100000),
                   *b = go_context_with_cancel(a), *c = go_context_with_timeout(b, rand_r(&seed) % 50000);
        if (rand_r(&seed) % 4 == 0)
            go_yield();
        go_context_cancel(rand_r(&seed) % 2 ? a : b);
        cr_assert(go_context_err(b) != 0 && go_context_err(c) != 0);
        cr_assert(is_done(b) && is_done(c));
        go_context_free(a);
        go_context_free(b);
        go_context_free(c);
    }
    go_context_release(top);
    go_waitgroup_done(wg);
}

Test(context, concurrent)
{
    for (int round = 0; round < 10; round++) {
        go_context *top = go_context_with_timeout(go_context_background(), 3 * MS);
        go_waitgroup wg = GO_WAITGROUP_INIT;
        go_waitgroup_add(&wg, 8);
        for (unsigned i = 0; i < 8; i++)
            go(worker, go_context_hold(top), i * 31 + (unsigned)round, &wg);
        if (round % 2)
            go_context_free(top);
        go_waitgroup_wait(&wg);
        if (round % 2 == 0)
            go_context_free(top);
    }
}

/* The ends of the range; a parent that is cancelled already; and the earliest deadline of a line. */
Test(context, deadlines_of_any_length)
{
    static const int64_t past[] = {0, -1, INT64_MIN};
    int64_t at = 0, of_child = 0;
    for (int i = 0; i < 3; i++) {
        go_context *c = go_context_with_timeout(go_context_background(), past[i]);
        cr_assert_eq(go_context_err(c), GO_ERR_DEADLINE);
        go_context *child = go_context_with_timeout(c, GO_HOUR);
        go_context_free(c);
        cr_assert_eq(go_context_err(child), GO_ERR_DEADLINE);
        cr_assert_not(go_recv(go_context_done(child), NULL));
        go_context_free(child);
    }
    go_context *never = go_context_with_deadline(go_context_background(), INT64_MAX);
    cr_assert_not(go_context_deadline(never, &at));
    go_context *hour = go_context_with_timeout(never, GO_HOUR), *longer = go_context_with_timeout(hour, INT64_MAX);
    cr_assert(go_context_deadline(hour, &at) && go_context_deadline(longer, &of_child));
    cr_assert_eq(at, of_child);
    go_context_cancel_cause(never, 77);
    go_context *late = go_context_with_timeout(longer, -1);   /* its parent was first */
    cr_assert_eq(go_context_err(late), GO_ERR_CANCELED);
    cr_assert_eq(go_context_cause(late), 77);
    go_context_free(late);
    go_context_free(longer);
    go_context_free(hour);
    go_context_free(never);
}
