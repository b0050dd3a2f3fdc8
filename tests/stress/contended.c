/* Mutexes that are contended now and then and quiet again in between (with GORT_PERTURB the monitor calls them quiet at once): so unlocks by a plain store, by
 * an atomic instruction, and at the moment when the one becomes the other, on goroutines and threads. Nobody may be left waiting, and each mutex, in memory that
 * its last user frees, is not touched after that. */
#define GORT_NO_INLINE   /* the library's unlock: with GORT_PERTURB it is overtaken between its steps */
#include "stress.h"

#include <string.h>

enum { MUTEXES = 48, GOROUTINES = 10, THREADS = 3, EACH = 10000, SHORT_LIVED = 500, USERS = 3 };

static struct {
    go_mutex m;
    long counter;
    int inside;
} guarded[MUTEXES];

static void work(uint32_t me, go_waitgroup *wg)
{
    uint32_t s = stream(me);
    for (int i = 0; i < EACH; i++) {
        unsigned k = rnd(&s) % MUTEXES;
        unsigned what = rnd(&s) % 512;
        go_mutex_lock(&guarded[k].m);
        CHECK_EQ(guarded[k].inside++, 0);
        guarded[k].counter++;
        if (what < 8)
            go_yield();
        else if (what == 8)
            go_sleep(rnd(&s) % 50000);   /* whoever comes now waits */
        CHECK_EQ(--guarded[k].inside, 0);
        go_mutex_unlock(&guarded[k].m);
    }
    go_waitgroup_done(wg);
}

struct shared {
    go_mutex m;
    int users;
};

static void uses(struct shared *s, uint32_t me, go_waitgroup *wg)
{
    uint32_t r = stream(me);
    go_mutex_lock(&s->m);
    if (rnd(&r) % 8 == 0)
        go_yield();
    bool last = --s->users == 0;
    go_mutex_unlock(&s->m);
    if (last) {
        memset(s, 0xff, sizeof *s);
        free(s);
    }
    go_waitgroup_done(wg);
}

int main(int argc, char **argv)
{
    read_seed(argc, argv);
    go_waitgroup wg = {0};
    struct worker workers[THREADS];
    go_waitgroup_add(&wg, GOROUTINES + THREADS + SHORT_LIVED * USERS);
    for (uint32_t i = 0; i < GOROUTINES; i++)
        go(work, i, &wg);
    for (uint32_t i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.work = work, .me = 1000 + i, .wg = &wg};
        worker_start(&workers[i]);
    }
    for (uint32_t i = 0; i < SHORT_LIVED; i++) {
        struct shared *s = calloc(1, sizeof *s);
        s->users = USERS;
        for (uint32_t k = 0; k < USERS; k++)
            go(uses, s, 2000 + i * USERS + k, &wg);
        go_yield();
    }
    go_waitgroup_wait(&wg);
    for (int i = 0; i < THREADS; i++)
        pthread_join(workers[i].thread, NULL);
    long total = 0;
    for (int k = 0; k < MUTEXES; k++)
        total += guarded[k].counter;
    CHECK_EQ(total, (GOROUTINES + THREADS) * EACH);
    CHECK_EQ(leakcheck(), 0);
    return 0;
}
