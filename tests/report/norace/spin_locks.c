/* The clean twin of race/spin_locks.c: locks that spin in all ways, fought for; whoever tries again and again keeps nobody from unlocking. */
// expect: all counted
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
#include "race_test.h"
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wtsan"   /* of fences, which ThreadSanitizer does not know */
#endif

enum { THREADS = 3, TURNS = 3000, WORK = 16 };
static atomic_int held, ticket, serving;
static atomic_flag flag = ATOMIC_FLAG_INIT;
static atomic_long work;
static int counted;

static void by_exchange(bool lock)
{
    if (!lock)
        atomic_store(&held, 0);
    else
        while (atomic_exchange(&held, 1)) {
        }
}

static void by_acquiring_exchange(bool lock)
{
    if (!lock)
        atomic_store_explicit(&held, 0, memory_order_release);
    else
        while (atomic_exchange_explicit(&held, 1, memory_order_acquire)) {
        }
}

static void by_flag(bool lock)
{
    if (!lock)
        atomic_flag_clear(&flag);
    else
        while (atomic_flag_test_and_set(&flag)) {
        }
}

static void by_or(bool lock)
{
    if (!lock)
        atomic_fetch_and_explicit(&held, ~4, memory_order_release);
    else
        while (atomic_fetch_or_explicit(&held, 4, memory_order_acq_rel) & 4) {
        }
}

static void by_compare(bool lock)
{
    if (!lock) {
        atomic_store_explicit(&held, 0, memory_order_release);
        return;
    }
    for (int free = 0; !atomic_compare_exchange_weak_explicit(&held, &free, 1, memory_order_acquire, memory_order_relaxed); free = 0) {
    }
}

static void by_fences(bool lock)
{
    if (!lock) {
        atomic_thread_fence(memory_order_release);
        atomic_store_explicit(&held, 0, memory_order_relaxed);
        return;
    }
    while (atomic_exchange_explicit(&held, 1, memory_order_relaxed))
        while (atomic_load_explicit(&held, memory_order_relaxed)) {
        }
    atomic_thread_fence(memory_order_acquire);
}

static void by_ticket(bool lock)
{
    if (!lock) {
        atomic_fetch_add_explicit(&serving, 1, memory_order_release);
        return;
    }
    int mine = atomic_fetch_add_explicit(&ticket, 1, memory_order_relaxed);
    while (atomic_load_explicit(&serving, memory_order_acquire) != mine)
        sched_yield();   /* there are more threads than processors, perhaps */
}

static void (*const ways[])(bool) = {by_exchange, by_acquiring_exchange, by_flag, by_or, by_compare, by_fences, by_ticket};
enum { WAYS = sizeof ways / sizeof ways[0] };

static void *counts(void *p)
{
    void (*way)(bool) = ways[(size_t)p];
    for (int i = 0; i < TURNS; i++) {
        way(true);
        counted++;
        for (int k = 0; k < WORK; k++)
            atomic_fetch_add_explicit(&work, 1, memory_order_relaxed);
        way(false);
    }
    return NULL;
}

int main(void)
{
    for (size_t w = 0; w < WAYS; w++) {
        pthread_t t[THREADS];
        for (int i = 0; i < THREADS; i++)
            pthread_create(&t[i], NULL, counts, (void *)w);
        for (int i = 0; i < THREADS; i++)
            pthread_join(t[i], NULL);
    }
    puts(counted == THREADS * TURNS * WAYS ? "all counted" : "not all");
    return 0;
}
