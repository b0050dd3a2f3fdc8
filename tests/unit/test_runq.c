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
        unsigned many = (unsigned)rand_r(&seed) % (RT_RUNQ_SLOTS + 2);
        cr_assert_eq(runq_is_long(&q, many), put - got >= many);
    }
}

/* What the owner knows of the ring's head is from before the thief came. */
Test(runq, the_owner_finds_out_what_was_stolen)
{
    static struct runq q, to;
    struct g *out[RT_RUNQ_SLOTS / 2];
    uintptr_t put = 0, first = 0;
    for (int round = 0; round < 1000; round++) {
        while (runq_put(&q, item(put)))
            put++;
        cr_assert_eq(put - first, RT_RUNQ_SLOTS);
        unsigned stolen = RT_RUNQ_SLOTS / 2;
        cr_assert_eq(runq_steal(&to, &q), item(first + stolen - 1));
        for (unsigned i = 0; i < stolen - 1; i++)
            cr_assert_eq(runq_get(&to), item(first + i));
        cr_assert_null(runq_get(&to));
        first += stolen;
        switch (round % 4) {
        case 0:
            cr_assert_eq(runq_get(&q), item(first++));
            break;
        case 1:
            cr_assert(runq_is_long(&q, RT_RUNQ_SLOTS / 2));
            cr_assert_not(runq_is_long(&q, RT_RUNQ_SLOTS / 2 + 1));
            break;
        case 2: {
            unsigned n = runq_take_half(&q, out);
            cr_assert_eq(n, RT_RUNQ_SLOTS / 4);
            cr_assert_eq(out[0], item(first));
            first += n;
            break;
        }
        }
        while (round % 8 >= 4 && runq_steal(&to, &q))   /* empty, by thieves alone */
            while (runq_get(&to)) {
            }
        if (round % 8 >= 4) {
            cr_assert_null(runq_get(&q));
            cr_assert_not(runq_is_long(&q, 1));
            first = put;
        }
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
