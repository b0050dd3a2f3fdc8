/* See play.h. Usage of a player: [--seed N] [--programs K] [--jobs J] [--random-seed] and its own; prints the first seed, and on disagreement the seed, the
 * smallest program found, and how to play it again. */
#define _GNU_SOURCE
#include "play.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <gort/base.h>   /* whose mark says that these files have no hooks by intention */
#include <race.h>
#include <race_uses.h>

enum { CHUNK = 4000, JOBS_MAX = 64 };

/* ---- the detector's reports ---- */

static struct reported reports[REPORTS_MAX];
static atomic_int reports_n;

static int access_id(uint32_t node)
{
    uintptr_t pcs[16];
    int n = race_stack_pcs(node, 0, pcs, 16);
    for (int i = 0; i < n; i++)
        if (pcs[i] >= ACCESS_ID && pcs[i] < ACCESS_ID + IDS_MAX)
            return (int)(pcs[i] - ACCESS_ID);
    return IDS_MAX - 1;   /* nobody's: judged to be no race */
}

/* Linked in place of the detector's. */
void race_report(struct race_g *g, uintptr_t addr, struct race_side old, struct race_side now)
{
    (void)g;
    if (race_use_of(now) >= 0)   /* of a wait group, a channel or a lock itself, which the programs use in any order */
        return;
    int n = atomic_fetch_add(&reports_n, 1);
    if (n >= REPORTS_MAX)
        abort();
    reports[n] = (struct reported){access_id(old.node), access_id(now.node), addr};
}

void play_reports_clear(void)
{
    reports_n = 0;
}

const struct reported *play_reports(int *n)
{
    *n = reports_n;
    return reports;
}

/* ---- what is left out ---- */

bool play_is_mixed(const struct trace *trace, const void *at, int g)
{
    bool own = false, others = false;
    for (int e = trace->n - 1; e >= 0; e--) {
        const struct event *v = &trace->event[e];
        if (v->addr != (uintptr_t)at || (v->kind != EV_ATOMIC_STORE && v->kind != EV_ATOMIC_RMW))
            continue;
        own |= v->g == g;
        others |= v->g != g;
        if (v->kind == EV_ATOMIC_STORE && (v->order == MO_RELEASE || v->order == MO_SEQ_CST))
            break;
    }
    return own && others;
}

/* ---- workers ---- */

/* Shared with the workers. */
static struct shared {
    atomic_ulong undetermined, races, programs;
    struct {
        uint64_t seed;   /* being played */
        bool disagreed;
    } worker[JOBS_MAX];
} *shared;

static int args;
static char **arg;
static const bool nothing_skipped[STEPS_MAX];

static void print_last(const struct verdict *v)
{
    int n;
    const struct reported *r = play_reports(&n);
    model_print(play_trace(), stdout);
    for (int i = 0; i < n; i++)
        printf("reported: access %d and access %d at %#lx\n", r[i].old, r[i].now, (unsigned long)r[i].word);
    printf("disagreement: %s\n", v->why);
    fflush(stdout);
}

static void work(int me, uint64_t seed, uint64_t end)
{
    play_start(args, arg);
    for (; seed < end; seed++) {
        struct verdict v;
        shared->worker[me].seed = seed;
        play_once(seed, nothing_skipped, &v);
        if (!v.agreed) {
            shared->worker[me].disagreed = true;
            printf("%s: seed %lu, as it was first played:\n", play_name, (unsigned long)seed);
            print_last(&v);
            _exit(1);
        }
        atomic_fetch_add(&shared->programs, 1);
        atomic_fetch_add(&shared->undetermined, v.undetermined);
        atomic_fetch_add(&shared->races, (unsigned long)v.races);
    }
    _exit(0);
}

/* Plays the programs from first on and then seed's in a fresh process. True: seed's disagrees, or it dies. steps: how many it has. show: prints the
 * trace and the verdict. */
static bool fails(uint64_t first, uint64_t seed, const bool *skip, int *steps, bool show)
{
    int *count = mmap(NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        struct verdict v;
        alarm(120);
        if (!show && !freopen("/dev/null", "w", stderr))
            _exit(2);
        play_start(args, arg);
        for (; first < seed; first++)
            play_once(first, nothing_skipped, &v);
        *count = play_once(seed, skip, &v);
        if (!v.agreed && show)
            print_last(&v);
        _exit(v.agreed ? 0 : 1);
    }
    int status;
    waitpid(child, &status, 0);
    if (steps && *count)
        *steps = *count;
    munmap(count, sizeof *count);
    if (show && WIFSIGNALED(status))
        printf("it dies of signal %d\n", WTERMSIG(status));
    return status != 0;
}

/* The worker began with the programs from first on. */
static void explain(uint64_t seed, uint64_t first)
{
    bool skip[STEPS_MAX] = {false};
    int steps = STEPS_MAX;
    printf("%s: seed %lu: model and detector disagree\n", play_name, (unsigned long)seed);
    uint64_t before = 0;   /* so many programs before it are needed */
    while (before < seed - first && !fails(seed - before, seed, skip, &steps, false))
        before = before * 2 + 1;
    if (before > seed - first)
        before = seed - first;
    if (!fails(seed - before, seed, skip, &steps, false)) {
        printf("it does not a second time; what it followed: --seed %lu --programs %lu\n", (unsigned long)first, (unsigned long)(seed - first + 1));
        return;
    }
    for (bool smaller = true; smaller;) {
        smaller = false;
        for (int i = steps - 1; i >= 0; i--) {
            if (skip[i])
                continue;
            skip[i] = true;
            if (fails(seed - before, seed, skip, NULL, false))
                smaller = true;
            else
                skip[i] = false;
        }
    }
    printf("the smallest program found that does, after %lu others (again: --seed %lu --programs %lu):\n", (unsigned long)before,
           (unsigned long)(seed - before), (unsigned long)before + 1);
    if (!fails(seed - before, seed, skip, NULL, true))
        printf("(and this time it agreed)\n");
}

int play_main(int argc, char **argv)
{
    uint64_t seed = 1, programs = 1000;
    int jobs = 1;
    args = argc;
    arg = argv;
    for (int i = 1; i < argc; i++) {
        bool value = i + 1 < argc;
        if (!strcmp(argv[i], "--seed") && value) {
            seed = strtoul(argv[++i], NULL, 10);
        } else if (!strcmp(argv[i], "--programs") && value) {
            programs = strtoul(argv[++i], NULL, 10);
        } else if (!strcmp(argv[i], "--jobs") && value) {
            jobs = atoi(argv[++i]);
        } else if (!strcmp(argv[i], "--random-seed")) {
            struct timespec now;
            clock_gettime(CLOCK_REALTIME, &now);
            seed = ((uint64_t)now.tv_sec * 1000000007u + (uint64_t)now.tv_nsec) % 1000000000000u;
        } else if ((!strcmp(argv[i], "--procs") || !strcmp(argv[i], "--crowd")) && value) {
            i++;   /* the player's own, as the next one */
        } else if (!strcmp(argv[i], "--free")) {
            continue;
        } else {
            fprintf(stderr, "usage: %s [--seed N | --random-seed] [--programs K] [--jobs J] [--procs P] [--free] [--crowd N]\n", argv[0]);
            return 2;
        }
    }
    if (jobs < 1 || jobs > JOBS_MAX)
        jobs = 1;
    printf("%s: %lu programs from --seed %lu\n", play_name, (unsigned long)programs, (unsigned long)seed);
    fflush(stdout);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return 2;
    uint64_t next = seed, end = seed + programs, first[JOBS_MAX];
    pid_t worker[JOBS_MAX] = {0};
    bool failed = false;
    for (int running = 0; running > 0 || (next < end && !failed);) {
        for (int i = 0; i < jobs && next < end && !failed; i++) {
            if (worker[i])
                continue;
            uint64_t stop = end - next < CHUNK ? end : next + CHUNK;
            first[i] = next;
            worker[i] = fork();
            if (worker[i] == 0)
                work(i, next, stop);
            next = stop;
            running++;
        }
        int status;
        pid_t ended = wait(&status);
        for (int i = 0; i < jobs; i++) {
            if (worker[i] != ended)
                continue;
            worker[i] = 0;
            running--;
            if (status != 0) {
                failed = true;
                if (!shared->worker[i].disagreed)
                    printf("%s: a worker died (wait status %#x)\n", play_name, (unsigned)status);
                explain(shared->worker[i].seed, first[i]);
            }
        }
    }
    printf("%s: %lu programs judged, %lu races, %lu of undetermined order; %s\n", play_name, shared->programs - shared->undetermined, shared->races,
           shared->undetermined, failed ? "DISAGREEMENT" : "no disagreement");
    return failed;
}
