/* race/atomic_stays_fence.c and norace/atomic_stays_fence.c, which say whether the last operation comes before the fence that publishes: LAST_IS_FENCED. */
#include "race_test.h"

static struct {
    atomic_int flag, published;
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
    if (LAST_IS_FENCED)
        rewrites();
    atomic_thread_fence(memory_order_seq_cst);
    if (!LAST_IS_FENCED)
        rewrites();
    atomic_store_explicit(&shared.published, 1, memory_order_relaxed);
    step(2);
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
    sink = atomic_load_explicit(&shared.published, memory_order_acquire);
    *(volatile int *)&shared.flag = 0;
    pthread_join(t, NULL);
    return 0;
}
