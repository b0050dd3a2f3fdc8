/* A cache that many goroutines fill: each value is computed by whoever comes first, and only that one is kept. */
// expect: 10 squares, sum 285
#include <gort.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static go_sync_map squares;   /* from numbers to long * */

static const long *square(uintptr_t n)
{
    void *found;
    if (go_sync_map_load(&squares, (void *)n, &found))
        return found;
    long *mine = malloc(sizeof *mine);
    *mine = (long)(n * n);
    if (go_sync_map_load_or_store(&squares, (void *)n, mine, &found))
        free(mine);   /* somebody else was first */
    return found;
}

static void ask(go_waitgroup *wg)
{
    long sum = 0;
    for (uintptr_t n = 0; n < 10; n++)
        sum += *square(n);
    if (sum != 285)
        go_panic("the sum is %ld", sum);
    go_waitgroup_done(wg);
}

static bool add(const void *key, void *value, void *sum)
{
    (void)key;
    *(long *)sum += *(long *)value;
    free(value);
    return true;
}

int main(void)
{
    go_waitgroup wg = GO_WAITGROUP_INIT;
    go_waitgroup_add(&wg, 50);
    for (int i = 0; i < 50; i++)
        go(ask, &wg);
    go_waitgroup_wait(&wg);
    long sum = 0;
    size_t n = go_sync_map_len(&squares);
    go_sync_map_range(&squares, add, &sum);
    printf("%zu squares, sum %ld\n", n, sum);
    go_sync_map_free(&squares);
    return 0;
}
