/* Atomics of sizes that compilers leave to libatomic: a plain access beside one, a relaxed one that publishes nothing, and the caller's own memory. */
// race-expect: WARNING: DATA RACE
// race-expect: Found 3 data race\(s\)
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
#include "race_test.h"
#ifdef __clang__
#pragma GCC diagnostic ignored "-Watomic-alignment"   /* that is what this is about */
#endif

struct s24 { long a, b, c; };
static _Atomic(struct s24) large, other;
static struct s24 given;

static void racy(void)
{
    x = 1;
    atomic_store_explicit(&large, ((struct s24){1, 2, 3}), memory_order_relaxed);
    struct s24 mine = {1, 1, 1};
    atomic_exchange(&other, mine);
    given = mine;                                                          /* 1 */
    step(1);
}

int main(void)
{
    go(racy);
    await(1);
    struct s24 seen = atomic_load_explicit(&large, memory_order_acquire);
    sink = x + (int)seen.a;                                                /* 2: nothing was released */
    sink += (int)((struct s24 *)&large)->b;                                /* 3: a plain read */
    __atomic_store((struct s24 *)&other, &given, __ATOMIC_SEQ_CST);        /* 1: reads what is given */
    return 0;
}
