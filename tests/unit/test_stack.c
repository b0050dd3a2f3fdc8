/* Stacks: many at once, made ahead and by whoever needs one, are apart from each other, and all of each is there to be used. */
#include <criterion/criterion.h>
#include <gort.h>
#include <stdint.h>
#include <stdlib.h>

enum { N = 4000, STACK = 256 * 1024, DEEP = 200 * 1024 };

static uintptr_t place[N];
static go_waitgroup here, end;

static void parked(int me, go_recv_chan(int) gate)
{
    volatile int mine[16];
    for (int i = 0; i < 16; i++)
        mine[i] = me + i;
    place[me] = (uintptr_t)mine;
    go_waitgroup_done(&here);
    go_recv(gate, NULL);
    for (int i = 0; i < 16; i++)
        cr_expect_eq(mine[i], me + i);
    go_waitgroup_done(&end);
}

static int by_place(const void *a, const void *b)
{
    uintptr_t x = *(const uintptr_t *)a, y = *(const uintptr_t *)b;
    return (x > y) - (x < y);
}

/* Thousands of goroutines at the same time, so that the stack maker is at work too: no two stacks are nearer to each other than their size, but for the
 * few cache lines by which they are coloured. */
Test(stack, many_are_apart, .timeout = 60)
{
    go_chan(int) gate = go_make_chan(int, 0);
    go_waitgroup_add(&here, N);
    go_waitgroup_add(&end, N);
    for (int i = 0; i < N; i++)
        go(parked, i, gate);
    go_waitgroup_wait(&here);
    go_close(gate);
    go_waitgroup_wait(&end);
    qsort(place, N, sizeof place[0], by_place);
    for (int i = 1; i < N; i++)
        cr_assert_geq(place[i] - place[i - 1], STACK - 4096);
}

static __attribute__((noinline)) int deep(int me)
{
    volatile char much[DEEP];
    for (size_t i = 0; i < DEEP; i += 512)
        much[i] = (char)me;
    go_yield();
    int wrong = 0;
    for (size_t i = 0; i < DEEP; i += 512)
        wrong += much[i] != (char)me;
    return wrong;
}

static void goes_deep(int me)
{
    cr_expect_eq(deep(me), 0);
    go_waitgroup_done(&end);
}

/* Each can be used nearly to its end, at the same time as its neighbours. */
Test(stack, all_of_each_is_there, .timeout = 60)
{
    go_waitgroup_add(&end, 200);
    for (int i = 0; i < 200; i++)
        go(goes_deep, i);
    go_waitgroup_wait(&end);
}
