/* A waitgroup over workers: main waits until all have done their part. */
// expect: 5 workers: 0 1 4 9 16
#include <gort.h>
#include <stdio.h>

enum { WORKERS = 5 };

static void worker(int id, int *result, go_waitgroup *wg)
{
    go_sleep((WORKERS - id) * GO_MILLISECOND);
    *result = id * id;   /* each its own place: no race; wait() orders it before main's reading */
    go_waitgroup_done(wg);
}

int main(void)
{
    go_waitgroup wg = GO_WAITGROUP_INIT;
    int results[WORKERS];
    for (int i = 0; i < WORKERS; i++) {
        go_waitgroup_add(&wg, 1);
        go(worker, i, &results[i], &wg);
    }
    go_waitgroup_wait(&wg);
    printf("%d workers:", WORKERS);
    for (int i = 0; i < WORKERS; i++)
        printf(" %d", results[i]);
    printf("\n");
    return 0;
}
