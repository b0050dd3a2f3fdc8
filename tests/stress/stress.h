/* Shared by the stress programs: the seed, random numbers, and what to say when something is wrong. */
#include <gort.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static uint32_t seed_;

static inline uint32_t rnd(uint32_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 17;
    *s ^= *s << 5;
    return *s;
}

/* A stream of its own for each participant. */
static inline uint32_t stream(uint32_t n)
{
    uint32_t s = seed_ * 2654435761u + n * 40503u + 1;
    return s ? s : 1;
}

static inline void read_seed(int argc, char **argv)
{
    seed_ = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 0) : 1;
}

#define CHECK_EQ(a, b)                                                                                  \
    do {                                                                                                \
        long long a_ = (long long)(a), b_ = (long long)(b);                                             \
        if (a_ != b_) {                                                                                 \
            fprintf(stderr, "seed %u: %s:%d: %s is %lld, %s is %lld\n", seed_, __FILE__, __LINE__, #a, a_, #b, b_); \
            exit(1);                                                                                    \
        }                                                                                               \
    } while (0)

/* Runs work(me, wg) on a thread of its own, as go() does in a goroutine. */
struct worker {
    void (*work)(uint32_t me, go_waitgroup *wg);
    uint32_t me;
    go_waitgroup *wg;
    pthread_t thread;
};

static inline void *worker_main(void *arg)
{
    struct worker *w = arg;
    w->work(w->me, w->wg);
    return NULL;
}

static inline void worker_start(struct worker *w)
{
    int err = pthread_create(&w->thread, NULL, worker_main, w);
    CHECK_EQ(err, 0);
}

/* Now and then something that moves the schedule. */
static inline void perturb(uint32_t *s)
{
    uint32_t r = rnd(s) % 128;
    if (r < 6)
        go_yield();
    else if (r == 6)
        go_sleep(rnd(s) % 20000);
}
