/* The run queue: against a plain FIFO, and with thieves: nothing lost, nothing twice. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <runq.h>
#include <stdlib.h>

static struct g *item(uintptr_t i)
{
    return (struct g *)(i * 16 + 16);
}

Test(runq, is_a_bounded_fifo)
{
    static struct runq q;
    uintptr_t put = 0, got = 0;
    unsigned seed = 1;
    for (int i = 0; i < 100000; i++) {
        if (rand_r(&seed) % 2) {
            bool ok = runq_put(&q, item(put));
            cr_assert_eq(ok, put - got < RT_RUNQ_SLOTS);
            put += ok;
        } else {
            struct g *g = runq_get(&q);
            cr_assert_eq(g, got < put ? item(got) : NULL);
            got += g != NULL;
        }
        cr_assert_eq(runq_len(&q), put - got);
    }
}

Test(runq, next_is_one_place_in_front)
{
    static struct runq q;
    cr_assert_null(runq_take_next(&q));
    cr_assert_null(runq_set_next(&q, item(1)));
    cr_assert_eq(runq_set_next(&q, item(2)), item(1));
    cr_assert_not(runq_is_empty(&q));
    cr_assert_eq(runq_take_next(&q), item(2));
    cr_assert(runq_is_empty(&q));
}

enum { ITEMS = 300000, THIEVES = 2 };
static struct runq victim, loot[THIEVES];
static _Atomic(int) taken[ITEMS];
static _Atomic(int) total;

static void take(struct g *g)
{
    taken[((uintptr_t)g - 16) / 16]++;
    total++;
}

static void *thief(void *arg)
{
    struct runq *mine = arg;
    while (total < ITEMS) {
        struct g *g = runq_steal(mine, &victim);
        if (!g)
            g = runq_take_next(&victim);
        if (g)
            take(g);
        while ((g = runq_get(mine)))
            take(g);
    }
    return NULL;
}

Test(runq, with_thieves_each_item_is_taken_once)
{
    pthread_t t[THIEVES];
    for (int i = 0; i < THIEVES; i++)
        pthread_create(&t[i], NULL, thief, &loot[i]);
    for (uintptr_t i = 0; i < ITEMS;) {
        if (i % 3 == 0) {
            struct g *former = runq_set_next(&victim, item(i++));
            if (former)
                take(former);
        } else if (runq_put(&victim, item(i))) {
            i++;
        } else {
            struct g *half[RT_RUNQ_SLOTS / 2];
            unsigned n = runq_take_half(&victim, half);
            for (unsigned k = 0; k < n; k++)
                take(half[k]);
        }
        struct g *g = i % 5 == 0 ? runq_get(&victim) : NULL;
        if (g)
            take(g);
    }
    for (int i = 0; i < THIEVES; i++)
        pthread_join(t[i], NULL);
    for (int i = 0; i < ITEMS; i++)
        cr_assert_eq(taken[i], 1, "item %d taken %d times", i, taken[i]);
}
