/* A program that begins with one P, whose owner is alone with his queue, and gets more of them in the midst of it: by main's thread, by a goroutine, by two
 * threads at once. No goroutine is lost, none runs twice, none is left waiting. */
#include "stress.h"

enum { GOROUTINES = 40, TURNS = 60, CHILDREN = 3 };
static go_waitgroup all;
static _Atomic(int) turns[GOROUTINES], children;
static _Atomic(int) progress;
static go_chan(int) ring[GOROUTINES];

static void child(void)
{
    children++;
    go_waitgroup_done(&all);
}

static void busy(int me)
{
    uint32_t s = stream((uint32_t)me);
    for (int i = 0; i < TURNS; i++) {
        if (i % (TURNS / CHILDREN) == 0) {
            go_waitgroup_add(&all, 1);
            go(child);
        }
        if (rnd(&s) % 2) {
            go_yield();
        } else {   /* each gets as many as he sends: wakes and is woken */
            go_send(ring[me], i);
            go_recv(ring[me], NULL);
        }
        turns[me]++;
        progress++;
    }
    go_waitgroup_done(&all);
}

static void more(uint32_t me, go_waitgroup *wg)
{
    uint32_t s = stream(1000 + me);
    int until = (int)(rnd(&s) % (GOROUTINES * TURNS / 2));
    while (progress < until)
        if (me == 2)
            go_yield();
    go_maxprocs(2 + (int)(rnd(&s) % 3));
    go_waitgroup_done(wg);
}

int main(int argc, char **argv)
{
    read_seed(argc, argv);
    uint32_t s = stream(7);
    setenv("GOMAXPROCS", "1", 1);   /* before the runtime starts */
    uint32_t who = 1 + rnd(&s) % 7;   /* a bit for each that asks for more Ps */
    struct worker w[2] = {{more, 0, &all, 0}, {more, 1, &all, 0}};
    for (int i = 0; i < GOROUTINES; i++)
        ring[i] = go_make_chan(int, 1);
    CHECK_EQ(go_maxprocs(0), 1);
    go_waitgroup_add(&all, GOROUTINES + __builtin_popcount(who));
    for (uint32_t i = 0; i < 2; i++)
        if (who & 1u << i)
            worker_start(&w[i]);
    for (int i = 0; i < GOROUTINES; i++)
        go(busy, i);
    if (who & 4)
        go(more, 2, &all);
    go_waitgroup_wait(&all);
    for (uint32_t i = 0; i < 2; i++)
        if (who & 1u << i)
            pthread_join(w[i].thread, NULL);
    for (int i = 0; i < GOROUTINES; i++)
        CHECK_EQ(turns[i], TURNS);
    CHECK_EQ(children, GOROUTINES * CHILDREN);
    CHECK_EQ(go_maxprocs(0) > 1, 1);
    for (int i = 0; i < GOROUTINES; i++)
        go_chan_free(ring[i]);
    CHECK_EQ(leakcheck(), 0);
    return 0;
}
