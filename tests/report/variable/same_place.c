/* One report for one pair of places, from however many stacks and however often. */
// race-expect: ^Found 1 data race\(s\)$
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
#include "race_test.h"

int cells[2000];
static __attribute__((noinline)) void put(int i) { cells[i] = i; }
static __attribute__((noinline)) void deep(int i, int n) { if (n > 0) deep(i, n - 1); else put(i); }
static void racy(void) { for (int i = 0; i < 2000; i++) deep(i, i % 50); step(1); }

int main(void)
{
    go(racy);
    await(1);
    for (int i = 0; i < 2000; i++)
        deep(i, (i * 7) % 30);
    return 0;
}
