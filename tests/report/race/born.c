/* malloc, calloc, realloc and mmap precede the use of their memory: who got the pointer without an order races with them, whatever was written there before. */
// race-expect: WARNING: DATA RACE
// race-expect: Write at 0x[0-9a-f]+ by goroutine 2:
// race-expect: uses_small\(\)
// race-expect: Previous write at 0x[0-9a-f]+ by main goroutine:
// race-expect: gets_small\(\)
// race-expect: Heap block of size 40 at 0x[0-9a-f]+ allocated by main goroutine:
// race-expect: Hint: the block was handed over without an order
// race-expect: WARNING: DATA RACE
// race-expect: Atomic write at 0x[0-9a-f]+ by goroutine 3:
// race-expect: uses_large\(\)
// race-expect: gets_large\(\)
// race-expect: WARNING: DATA RACE
// race-expect: Read at 0x[0-9a-f]+ by goroutine 4:
// race-expect: uses_grown\(\)
// race-expect: gets_grown\(\)
// race-expect: WARNING: DATA RACE
// race-expect: Write at 0x[0-9a-f]+ by goroutine 5:
// race-expect: uses_mapped\(\)
// race-expect: gets_mapped\(\)
// race-expect: WARNING: DATA RACE
// race-expect: Write at 0x[0-9a-f]+ by goroutine 6:
// race-expect: frees_it\(\)
// race-expect: gets_to_free\(\)
// race-expect: WARNING: DATA RACE
// race-expect: Write at 0x[0-9a-f]+ by goroutine 7:
// race-expect: uses_small\(\)
// race-expect: Previous write at 0x[0-9a-f]+ by main goroutine:
// race-expect: writes_after\(\)
// race-expect: Found 6 data race\(s\)
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include <sys/mman.h>

#include "race_test.h"

/* Hides from the compiler where p comes from; orders nothing. */
static void *same(void *p)
{
    __asm__ volatile("" : "+r"(p));
    return p;
}

static __attribute__((noinline)) void *gets_small(void) { return same(malloc(40)); }
static __attribute__((noinline)) void *gets_large(void) { return same(malloc(100000)); }
static __attribute__((noinline)) void *gets_grown(void *p) { return same(realloc(p, 2000)); }
static __attribute__((noinline)) void *gets_mapped(void) { return same(mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)); }
static __attribute__((noinline)) void *gets_to_free(void) { return same(malloc(50)); }

static __attribute__((noinline)) void uses_small(void *p) { ((volatile int *)p)[5] = 1; }
static __attribute__((noinline)) void uses_large(void *p) { atomic_store_explicit(&((_Atomic(char) *)p)[99], 1, memory_order_relaxed); }
static __attribute__((noinline)) void uses_grown(void *p) { (void)((volatile char *)p)[1999]; }
static __attribute__((noinline)) void uses_mapped(void *p) { ((volatile char *)p)[500] = 1; }
static __attribute__((noinline)) void frees_it(void *p) { free(p); }
static __attribute__((noinline)) void writes_after(void *p) { ((volatile int *)p)[5] = 2; }

static _Atomic(void *) handed;

static void user(void (*use)(void *), go_waitgroup *wg)
{
    void *p;
    while ((p = atomic_load_explicit(&handed, memory_order_relaxed)) == NULL)
        go_yield();
    use(p);
    go_waitgroup_done(wg);
}

/* One goroutine uses p, which it gets by an atomic that orders nothing. It is started before there is a p. */
#define HAND(get, use) \
    do { \
        go_waitgroup wg = GO_WAITGROUP_INIT; \
        go_waitgroup_add(&wg, 1); \
        atomic_store_explicit(&handed, NULL, memory_order_relaxed); \
        go(user, use, &wg); \
        atomic_store_explicit(&handed, get, memory_order_relaxed); \
        go_waitgroup_wait(&wg); \
    } while (0)

static void *first_used(void)
{
    void *p = gets_small();
    writes_after(p);
    return p;
}

int main(void)
{
    HAND(gets_small(), uses_small);
    HAND(gets_large(), uses_large);
    void *p = malloc(1000);
    void *in_the_way = same(malloc(64));
    HAND(gets_grown(p), uses_grown);
    HAND(gets_mapped(), uses_mapped);
    HAND(gets_to_free(), frees_it);
    HAND(first_used(), uses_small);
    free(in_the_way);
    return 0;
}
