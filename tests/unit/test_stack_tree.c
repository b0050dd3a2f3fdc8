/* The calling-context tree: the same calls give the same node, from any thread; the path back is the stack; program counters pack and unpack. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <race_stack.h>
#include <stdlib.h>

Test(stack_tree, same_calls_same_node)
{
    struct stack_node *a = race_stack_call(&race_stack_root, 0x1000), *b = race_stack_call(a, 0x2000), *c = race_stack_call(a, 0x3000);
    cr_assert_neq(b, c);
    cr_assert_eq(race_stack_call(&race_stack_root, 0x1000), a);
    cr_assert_eq(race_stack_call(a, 0x2000), b);
    cr_assert_eq(race_stack_call(a, 0x3000), c);
    cr_assert_eq(race_stack_by_id(b->id), b);
    uintptr_t pcs[4];
    cr_assert_eq(race_stack_pcs(b->id, 0x2222, pcs, 4), 3);
    cr_assert_eq(pcs[0], 0x2222);
    cr_assert_eq(pcs[1], 0x2000);
    cr_assert_eq(pcs[2], 0x1000);
    cr_assert_eq(race_stack_pcs(b->id, 0, pcs, 1), 1);
}

static void *walk(void *arg)
{
    unsigned seed = 3;
    uint64_t sum = 0;
    (void)arg;
    for (int i = 0; i < 50000; i++) {
        struct stack_node *n = &race_stack_root;
        for (int d = 0; d < 6; d++)
            n = race_stack_call(n, 0x4000 + (unsigned)rand_r(&seed) % 5);
        sum = sum * 31 + n->id;
    }
    return (void *)sum;
}

Test(stack_tree, threads_agree)
{
    pthread_t t[3];
    void *sum[3];
    for (int i = 0; i < 3; i++)
        pthread_create(&t[i], NULL, walk, NULL);
    for (int i = 0; i < 3; i++)
        pthread_join(t[i], &sum[i]);
    cr_assert_eq(sum[0], sum[1]);
    cr_assert_eq(sum[0], sum[2]);
}

static void *many(void *arg)
{
    uint64_t sum = 0;
    (void)arg;
    for (uintptr_t i = 0; i < 600000; i++)
        sum = sum * 31 + race_stack_call(race_stack_call(&race_stack_root, 0x1000 + i % 1000), 0x8000 + i / 1000)->id;
    return (void *)sum;
}

/* Nodes that come when the small table is full lie in the large one: threads that make them at once get the same, and they are found again. */
Test(stack_tree, more_than_the_small_table)
{
    pthread_t t[2];
    void *sum[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&t[i], NULL, many, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(t[i], &sum[i]);
    cr_assert_eq(sum[0], sum[1]);
    cr_assert_eq(many(NULL), sum[0]);
    struct stack_node *n = race_stack_call(&race_stack_root, 0x1000 + 999);
    n = race_stack_call(n, 0x8000 + 599);
    uintptr_t pcs[3];
    cr_assert_eq(race_stack_pcs(n->id, 0, pcs, 3), 2);
    cr_assert_eq(pcs[0], 0x8000 + 599);
    cr_assert_eq(pcs[1], 0x1000 + 999);
}

Test(stack_tree, program_counters)
{
    uintptr_t pcs[] = {(uintptr_t)&walk, (uintptr_t)&malloc, (uintptr_t)&pthread_create, 0x7fffffff0000};
    for (int i = 0; i < 4; i++)
        cr_assert_eq(race_pc_unpack(race_pc_pack(pcs[i])), pcs[i]);
    cr_assert_eq(race_pc_unpack(0), 0);
}
