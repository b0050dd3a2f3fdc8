/* A read-modify-write that changes nothing is one all the same: of several by one thread, the last may race with who has only learned of the one before. (The
 * variable lies in memory that several threads work on.) */
// race-expect: WARNING: DATA RACE
// race-expect: rewrites\(\)
// race-expect: Found 1 data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static struct {
    atomic_int flag;
    int counter;
    pthread_mutex_t m;
} shared;

static void count(void)
{
    for (int i = 0; i < 2000; i++) {
        pthread_mutex_lock(&shared.m);
        shared.counter++;
        pthread_mutex_unlock(&shared.m);
        if (i % 16 == 0)
            sched_yield();
    }
}

__attribute__((noinline)) static void rewrites(void)
{
    atomic_exchange_explicit(&shared.flag, 1, memory_order_release);
}

static void *releases(void *p)
{
    count();
    await(1);   /* both have counted */
    for (int i = 0; i < 3; i++)
        atomic_exchange_explicit(&shared.flag, 1, memory_order_release);
    step(2);
    await(3);
    rewrites();
    step(4);
    return p;
}

int main(void)
{
    pthread_t t;
    pthread_mutex_init(&shared.m, NULL);
    pthread_create(&t, NULL, releases, NULL);
    count();
    step(1);
    await(2);
    sink = atomic_load_explicit(&shared.flag, memory_order_acquire);
    step(3);
    await(4);
    *(volatile int *)&shared.flag = 0;
    pthread_join(t, NULL);
    return 0;
}
