/* Readers and writers, goroutines and threads, on a few rwmutexes held across yields and sleeps: writers are alone, readers see what writers
 * left, and nobody is forgotten. */
#include "stress.h"

enum { LOCKS = 3, GOROUTINES = 24, EACH = 400 };

static go_rwmutex lock[LOCKS];
static long counter[LOCKS], twice[LOCKS];   /* guarded by lock; twice is twice the counter whenever nobody writes */
static _Atomic(int) readers[LOCKS], writers[LOCKS];
static _Atomic(long) writes;
static go_waitgroup wg;

static void read_one(unsigned k, uint32_t *s)
{
    ++readers[k];
    CHECK_EQ(writers[k], 0);
    long before = counter[k];
    perturb(s);
    CHECK_EQ(counter[k], before);
    CHECK_EQ(twice[k], 2 * before);
    --readers[k];
    go_rwmutex_runlock(&lock[k]);
}

static void write_one(unsigned k, uint32_t *s)
{
    CHECK_EQ(++writers[k], 1);
    CHECK_EQ(readers[k], 0);
    counter[k]++;
    perturb(s);
    twice[k] += 2;
    CHECK_EQ(--writers[k], 0);
    ++writes;
    go_rwmutex_unlock(&lock[k]);
}

static void work(uint32_t me)
{
    uint32_t s = stream(me), share = 1 + rnd(&s) % 7;   /* some write much, some little */
    for (int i = 0; i < EACH; i++) {
        unsigned k = rnd(&s) % LOCKS;
        bool try = rnd(&s) % 4 == 0;
        if (rnd(&s) % 8 < share) {
            if (!try || !go_rwmutex_try_rlock(&lock[k]))
                go_rwmutex_rlock(&lock[k]);
            read_one(k, &s);
        } else {
            if (!try || !go_rwmutex_try_lock(&lock[k]))
                go_rwmutex_lock(&lock[k]);
            write_one(k, &s);
        }
    }
    go_waitgroup_done(&wg);
}

static void *work_on_thread(void *arg)
{
    work((uint32_t)(uintptr_t)arg);
    return NULL;
}

int main(int argc, char **argv)
{
    read_seed(argc, argv);
    for (uint32_t round = 0; round < 3; round++) {
        pthread_t t[2];
        go_waitgroup_add(&wg, GOROUTINES + 2);
        for (uint32_t i = 0; i < GOROUTINES; i++)
            go(work, i + 100 * round);
        for (uint32_t i = 0; i < 2; i++)
            pthread_create(&t[i], NULL, work_on_thread, (void *)(uintptr_t)(1000 + i + 10 * round));
        go_waitgroup_wait(&wg);
        for (int i = 0; i < 2; i++)
            pthread_join(t[i], NULL);
    }
    long total = 0;
    for (int k = 0; k < LOCKS; k++) {
        total += counter[k];
        CHECK_EQ(lock[k].state, 0);
    }
    CHECK_EQ(total, writes);
    CHECK_EQ(leakcheck(), 0);
    return 0;
}
