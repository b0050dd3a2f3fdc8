/* Memory that is used after it was freed is told even where the use is ordered after the free, by the same goroutine or by others. */
// race-expect: WARNING: USE OF FREED MEMORY
// race-expect: Write at 0x[0-9a-f]+ by main goroutine:
// race-expect: use_small\(\)
// race-expect: Previous write at 0x[0-9a-f]+ by main goroutine:
// race-expect: free_small\(\)
// race-expect: Heap block of size 40 at 0x[0-9a-f]+ allocated by main goroutine:
// race-expect: Hint: the block was freed before: free it after its last use
// race-expect: WARNING: USE OF FREED MEMORY
// race-expect: Read at 0x[0-9a-f]+ by main goroutine:
// race-expect: use_large\(\)
// race-expect: Heap block of size 100000 at
// race-expect: WARNING: USE OF FREED MEMORY
// race-expect: Atomic read at 0x[0-9a-f]+ by goroutine 2:
// race-expect: other\(\)
// race-expect: Previous write at 0x[0-9a-f]+ by main goroutine:
// race-expect: WARNING: USE OF FREED MEMORY
// race-expect: use_moved\(\)
// race-expect: Found 4 use\(s\) of freed memory
// absent: DATA RACE|data race\(s\)
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include <malloc.h>

#include "race_test.h"

enum { LARGE = 100000 };

static __attribute__((noinline)) void free_small(int *p) { free(p); }
static __attribute__((noinline)) void use_small(volatile int *p) { p[9] = 1; }
static __attribute__((noinline)) int use_large(const volatile char *p) { return p[LARGE - 1]; }
static __attribute__((noinline)) int use_moved(const volatile int *p) { return p[3]; }

static void other(_Atomic(int) *p, go_waitgroup *wg)
{
    (void)atomic_load_explicit(p, memory_order_relaxed);
    go_waitgroup_done(wg);
}

/* Hides from the compiler that it is the same block. */
static void *same(void *p)
{
    __asm__ volatile("" : "+r"(p));
    return p;
}

int main(void)
{
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
    int *small = malloc(10 * sizeof *small), *small_too = same(small);
    free_small(small);
    use_small(small_too);
    char *large = malloc(LARGE), *large_too = same(large);
    *(volatile char *)&large[LARGE - 1] = 1;
    void *behind = same(malloc(64));   /* so that it does not go back to the system */
    free(large);
    use_large(large_too);
    _Atomic(int) *shared = calloc(200, sizeof *shared), *shared_too = same(shared);
    free(shared);
    go_waitgroup wg = GO_WAITGROUP_INIT;
    go_waitgroup_add(&wg, 1);
    go(other, shared_too + 100, &wg);
    go_waitgroup_wait(&wg);
    int *moves = malloc(200 * sizeof *moves), *moves_too = same(moves);
    void *in_the_way = same(malloc(64));
    moves = realloc(moves, 4000 * sizeof *moves);
    if (moves != moves_too)
        use_moved(moves_too);
    free(moves);
    free(in_the_way);
    free(behind);
    return 0;
}
