/* N goroutines read a word, all but one of them ordered before the writer by its mutex; N from 2 to 64, the one any of them, or none; with other work
 * before and after the reads, of which there is never the same. The detector must report that reader and the writer, and nothing else. And what is
 * published by fences alone, to as many readers, must not be reported at all.
 *
 * Seeds go through all (N, which one) in turn, 2,142 of them, each time with other work; so many programs are a whole round. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <gort.h>

#include "accesses.h"
#include "play.h"

const char *const play_name = "model-readers";

enum { READERS_MIN = 2, READERS_MAX = 64, OTHERS = 4, WRITER_ID = 100, WORK_ID = 101 };

static struct world {
    uint64_t word;
    uint64_t others[READERS_MAX][2];   /* each reader's own, for other work */
    uint64_t common[OTHERS];           /* read by all */
    uint64_t published;
    uint32_t flag;
    go_mutex mutex;                    /* the writer's */
    go_mutex other[OTHERS], own[READERS_MAX];
    go_waitgroup ended;
} *world;

static int readers, one;       /* one == readers: none */
static uint64_t seed_now;
static bool one_by_one, use_fences;
static int have_read, written;   /* hidden: neither is seen by the detector */

static void hidden_wait(int *what, int at_least)
{
    while (__atomic_load_n(what, __ATOMIC_ACQUIRE) < at_least)
        go_yield();
}

/* Other mutexes and accesses. What the one does after its read must not reach the writer by way of the others: it keeps to its own mutex. */
static void other_work(struct random *r, int me, bool alone)
{
    access_begin(WORK_ID);
    for (int n = random_below(r, 6); n > 0; n--) {
        switch (random_below(r, 4)) {
        case 0:
        case 1: {
            go_mutex *m = alone ? &world->own[me] : &world->other[random_below(r, OTHERS)];
            go_mutex_lock(m);
            access_read(&world->common[random_below(r, OTHERS)], 8);
            go_mutex_unlock(m);
            break;
        }
        case 2: access_write(&world->others[me][random_below(r, 2)], 1 << random_below(r, 4), 1); break;
        case 3: access_read((char *)&world->common[random_below(r, OTHERS)] + 4 * random_below(r, 2), 1 << random_below(r, 3)); break;
        }
    }
    access_end();
}

static void reader(int me)
{
    struct random r = {seed_now * 1000 + (uint64_t)me};
    other_work(&r, me, false);
    if (use_fences) {
        access_begin(WORK_ID);
        while (access_atomic_load(&world->flag, 4, __ATOMIC_RELAXED) == 0)
            go_yield();
        access_fence(__ATOMIC_ACQUIRE);
        access_read(&world->published, 8);
        access_end();
    }
    access_begin(me);
    int size = 1 << random_below(&r, 4);
    access_read((char *)&world->word + random_below(&r, 9 - size), size);
    access_end();
    other_work(&r, me, me == one);
    if (me != one) {
        go_mutex_lock(&world->mutex);
        go_mutex_unlock(&world->mutex);
    }
    __atomic_fetch_add(&have_read, 1, __ATOMIC_ACQ_REL);
    hidden_wait(&written, 1);
    go_waitgroup_done(&world->ended);
}

static void publish(void)
{
    access_begin(WORK_ID);
    access_write(&world->published, 8, 1);
    access_fence(__ATOMIC_RELEASE);
    access_atomic_store(&world->flag, 4, 1, __ATOMIC_RELAXED);
    access_end();
}

static void program(void *nothing)
{
    (void)nothing;
    go_waitgroup_add(&world->ended, readers);
    for (int i = 0; i < readers; i++) {
        go(reader, i);
        if (one_by_one && !use_fences)
            hidden_wait(&have_read, i + 1);
    }
    if (use_fences)
        publish();
    hidden_wait(&have_read, readers);
    go_mutex_lock(&world->mutex);
    access_begin(WRITER_ID);
    access_write(&world->word, 8, 1);
    access_end();
    go_mutex_unlock(&world->mutex);
    __atomic_store_n(&written, 1, __ATOMIC_RELEASE);
    go_waitgroup_wait(&world->ended);
}

/* ---- a player ---- */

void play_start(int argc, char **argv)
{
    for (int i = 1; i + 1 < argc; i++)
        if (!strcmp(argv[i], "--procs"))
            go_maxprocs(atoi(argv[i + 1]));
}

int play_once(uint64_t seed, const bool skip[STEPS_MAX], struct verdict *v)
{
    struct random r = {seed};
    int choice = (int)(seed % 2142);
    (void)skip;
    for (readers = READERS_MIN; choice > readers; readers++)
        choice -= readers + 1;
    one = choice;
    seed_now = seed;
    one_by_one = random_below(&r, 2);
    use_fences = random_below(&r, 3) == 0;
    have_read = written = 0;
    world = calloc(1, sizeof *world);
    play_reports_clear();
    go_waitgroup ended = {0};
    go_waitgroup_go(&ended, program, NULL);
    go_waitgroup_wait(&ended);
    free(world);
    int n;
    const struct reported *said = play_reports(&n);
    *v = (struct verdict){.agreed = true, .races = n};
    if ((n == 0) != (one == readers))
        v->agreed = false;
    for (int i = 0; i < n; i++)
        v->agreed = v->agreed && said[i].old == one && said[i].now == WRITER_ID;
    snprintf(v->why, sizeof v->why, "%d readers, number %d is not ordered (%d: none), %d reports%s%s", readers, one, readers, n,
             one_by_one ? ", one by one" : "", use_fences ? ", data published by fences" : "");
    return 0;
}

const struct trace *play_trace(void)
{
    static const struct trace none;
    return &none;
}

int main(int argc, char **argv)
{
    return play_main(argc, argv);
}
