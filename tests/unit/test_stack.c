/* Stacks: many at once, made ahead and by whoever needs one, are apart from each other, and all of each is there to be used. */
#include <criterion/criterion.h>
#include <gort.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { N = 4600, STACK = 256 * 1024, DEEP = 200 * 1024 };

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

/* Thousands of goroutines at the same time, so that stacks are made ahead too: no two stacks are nearer to each other than their size, but for the
 * few cache lines by which they are coloured. */
static void many_are_apart(int n)
{
    go_chan(int) gate = go_make_chan(int, 0);
    go_waitgroup_add(&here, n);
    go_waitgroup_add(&end, n);
    for (int i = 0; i < n; i++)
        go(parked, i, gate);
    go_waitgroup_wait(&here);
    go_close(gate);
    go_waitgroup_wait(&end);
    qsort(place, (size_t)n, sizeof place[0], by_place);
    for (int i = 1; i < n; i++)
        cr_assert_geq(place[i] - place[i - 1], STACK - 4096);
    go_chan_free(gate);
}

/* Fewer Ps than processors, so a thread may make them; as many; more. */
Test(stack, many_are_apart_one_p, .timeout = 60)
{
    go_maxprocs(1);
    many_are_apart(N);
}

Test(stack, many_are_apart, .timeout = 60)
{
    many_are_apart(N);
}

Test(stack, many_are_apart_many_ps, .timeout = 60)
{
    go_maxprocs(64);
    many_are_apart(N);
}

/* Where the next mapping would be as large as all that there are, and there is no room for it, there is for a smaller one. */
Test(stack, little_address_space, .timeout = 60)
{
    enum { MORE = 1700 };
    FILE *f = fopen("/proc/self/statm", "r");
    size_t pages = 0;
    cr_assert_eq(f ? fscanf(f, "%zu", &pages) : 0, 1);
    fclose(f);
    struct rlimit limit = {.rlim_cur = pages * 4096 + ((size_t)MORE << 20), .rlim_max = RLIM_INFINITY};
    cr_assert_eq(setrlimit(RLIMIT_AS, &limit), 0);
    go_maxprocs(1);
    many_are_apart(N);
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
