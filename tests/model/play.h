/* What the two players of random programs share: numbers from a seed, the detector's reports caught by access id, workers that run ranges of seeds in
 * processes of their own, and the search for a smaller program that still disagrees.
 *
 * A player plays the program of a seed with some of its steps left out (a mask). A worker is forked from the untouched first process, so that a
 * program which a seed names behaves the same when it is played alone; what needs the programs before it to fail is said to. */
#ifndef PLAY_H
#define PLAY_H

#include "model.h"

struct random {
    uint64_t state;
};
static inline uint64_t random_next(struct random *r)
{
    uint64_t z = (r->state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}
static inline int random_below(struct random *r, int n)
{
    return (int)(random_next(r) % (uint64_t)n);
}

/* ---- what a player supplies ---- */

enum { STEPS_MAX = 200 };
extern const char *const play_name;
/* Before anything else in each worker. */
void play_start(int argc, char **argv);
/* Plays seed's program without the steps whose skip is set; returns how many steps it has. */
int play_once(uint64_t seed, const bool skip[STEPS_MAX], struct verdict *v);
/* The trace of the last program played. */
const struct trace *play_trace(void);

/* ---- reports ---- */

/* An access is made below a call "from" address ACCESS_ID + id, so that its call stack says which one it is. */
enum { ACCESS_ID = 0x10000 };
void play_reports_clear(void);
const struct reported *play_reports(int *n);

void __tsan_func_entry(void *return_address);
void __tsan_func_exit(void);
static inline void access_begin(int id)
{
    __tsan_func_entry((void *)(uintptr_t)(ACCESS_ID + id));
}
static inline void access_end(void)
{
    __tsan_func_exit();
}

/* ---- what is left out ---- */

/* Whether the release sequences at `at` may be some of goroutine g's and some of others'. A relaxed store by g would end the others' only; the
 * detector keeps all (race_atomic.c says so), the one edge too many that it knows of. No program here does that. */
bool play_is_mixed(const struct trace *trace, const void *at, int g);

int play_main(int argc, char **argv);

#endif
