/* A limit on what is done at once: at most so many units of work are under way, and a large job counts for several. */
// expect: 40 jobs done, never more than 4 units at once
// absent: DATA RACE
#include <gort.h>
#include <stdatomic.h>
#include <stdio.h>

enum { LIMIT = 4, JOBS = 40 };

static go_sem limit;
static _Atomic(int) under_way, most, finished;

static void job(int units, go_waitgroup *wg)
{
    go_sem_acquire(&limit, units);
    int now = atomic_fetch_add(&under_way, units) + units;
    if (now > most)
        most = now;
    go_sleep(100 * GO_MICROSECOND);
    under_way -= units;
    go_sem_release(&limit, units);
    finished++;
    go_waitgroup_done(wg);
}

int main(void)
{
    go_waitgroup wg = GO_WAITGROUP_INIT;
    go_sem_init(&limit, LIMIT);
    go_waitgroup_add(&wg, JOBS);
    for (int i = 0; i < JOBS; i++)
        go(job, 1 + i % 3, &wg);
    go_waitgroup_wait(&wg);
    printf("%d jobs done, %s than %d units at once\n", finished, most <= LIMIT ? "never more" : "sometimes more", LIMIT);
    return 0;
}
