/* Mutexes held across yields and sleeps, by goroutines and threads, and waitgroups that are freed right after their wait. */
#include "stress.h"

enum { MUTEXES = 3, GOROUTINES = 24, EACH = 400 };

static go_mutex mutex[MUTEXES];
static long counter[MUTEXES];
static int inside[MUTEXES];

static void work(uint32_t me, go_waitgroup *wg)
{
    uint32_t s = stream(me);
    for (int i = 0; i < EACH; i++) {
        unsigned k = rnd(&s) % MUTEXES;
        if (rnd(&s) % 4 || !go_mutex_try_lock(&mutex[k])) {
            if (rnd(&s) % 2)
                perturb(&s);
            go_mutex_lock(&mutex[k]);
        }
        CHECK_EQ(inside[k]++, 0);
        perturb(&s);
        counter[k]++;
        CHECK_EQ(--inside[k], 0);
        go_mutex_unlock(&mutex[k]);
    }
    go_waitgroup_done(wg);
}

int main(int argc, char **argv)
{
    read_seed(argc, argv);
    for (int round = 0; round < 3; round++) {
        go_waitgroup *wg = calloc(1, sizeof *wg);
        struct worker w = {.work = work, .me = 1000u + (uint32_t)round, .wg = wg};
        go_waitgroup_add(wg, GOROUTINES + 1);
        for (uint32_t i = 0; i < GOROUTINES; i++)
            go(work, i + 100 * (uint32_t)round, wg);
        worker_start(&w);
        go_waitgroup_wait(wg);
        free(wg);
        pthread_join(w.thread, NULL);
    }
    long total = 0;
    for (int k = 0; k < MUTEXES; k++)
        total += counter[k];
    CHECK_EQ(total, 3 * (GOROUTINES + 1) * EACH);
    CHECK_EQ(leakcheck(), 0);
    return 0;
}
