/* Trees of goroutines, bursts that overflow the run queues, changing numbers of Ps, endless loops that lose their P: all of them run, once. */
#include "stress.h"

static go_waitgroup all;
static _Atomic(long) ran;

static void leaf(void)
{
    ran++;
    go_waitgroup_done(&all);
}

static void tree(int depth, uint32_t s)
{
    perturb(&s);
    if (depth > 0) {
        int n = 1 + (int)(rnd(&s) % 3);
        go_waitgroup_add(&all, n);
        for (int i = 0; i < n; i++)
            go(tree, depth - 1, rnd(&s) | 1);
    }
    ran++;
    go_waitgroup_done(&all);
}

static long count_tree(int depth, uint32_t s)
{
    uint32_t r = rnd(&s) % 128;   /* what perturb draws */
    if (r == 6)
        rnd(&s);
    long total = 1;
    if (depth > 0) {
        int n = 1 + (int)(rnd(&s) % 3);
        for (int i = 0; i < n; i++)
            total += count_tree(depth - 1, rnd(&s) | 1);
    }
    return total;
}

static void burst(int n)
{
    go_waitgroup_add(&all, n);
    for (int i = 0; i < n; i++)
        go(leaf);
    go_waitgroup_done(&all);
}

static void hog(void)
{
    int64_t end = go_now() + 25 * GO_MILLISECOND;
    while (go_now() < end) {
    }
    ran++;
    go_waitgroup_done(&all);
}

int main(int argc, char **argv)
{
    read_seed(argc, argv);
    uint32_t s = stream(1);
    long expected = 0;
    for (int round = 0; round < 4; round++) {
        uint32_t root = rnd(&s) | 1;
        int n = 200 + (int)(rnd(&s) % 800);
        expected += count_tree(8, root) + n;
        go_waitgroup_add(&all, 2);
        go(tree, 8, root);
        go(burst, n);
        if (round % 2) {
            expected++;
            go_waitgroup_add(&all, 1);
            go(hog);
        }
        go_maxprocs(1 + (int)(rnd(&s) % 5));
        go_waitgroup_wait(&all);
    }
    CHECK_EQ(ran, expected);
    CHECK_EQ(leakcheck(), 0);
    return 0;
}
