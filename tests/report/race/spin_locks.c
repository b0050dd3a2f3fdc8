/* Locks that spin, and order nothing: by relaxed operations; by a compare-and-swap whose success is relaxed; unlocked by a relaxed store. */
// race-expect: WARNING: DATA RACE
// race-expect: Found 3 data race\(s\)
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
#include "race_test.h"

static atomic_int held[3];
int a, b, c;

static void exchanged(void)
{
    while (atomic_exchange_explicit(&held[0], 1, memory_order_relaxed)) {
    }
    a++;
    atomic_store_explicit(&held[0], 0, memory_order_release);
}

static void compared(void)
{
    for (int free = 0; !atomic_compare_exchange_strong_explicit(&held[1], &free, 1, memory_order_relaxed, memory_order_relaxed); free = 0) {
    }
    b++;
    atomic_store_explicit(&held[1], 0, memory_order_release);
}

static void left(void)
{
    while (atomic_exchange_explicit(&held[2], 1, memory_order_acquire)) {
    }
    c++;
    atomic_store_explicit(&held[2], 0, memory_order_relaxed);
}

static void *all(void *p)
{
    exchanged();
    compared();
    left();
    step(1);
    return p;
}

int main(void)
{
    pthread_t t;
    pthread_create(&t, NULL, all, NULL);
    await(1);
    exchanged();
    compared();
    left();
    pthread_join(t, NULL);
    return 0;
}
