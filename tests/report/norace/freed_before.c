/* The clean twin of race/freed_before.c: blocks that begin another life, stay where they are, or can't be reallocated. */
// absent: WARNING
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include <stdint.h>

#include "race_test.h"

enum { LARGE = 100000, HUGE_BLOCK = 1 << 20 };

static void fill(volatile char *p, size_t n)
{
    for (size_t i = 0; i < n; i += 7)
        p[i] = 1;
}

static size_t too_much(void)
{
    size_t n = SIZE_MAX / 2;
    __asm__ volatile("" : "+r"(n));
    return n;
}

static void other(char *p, go_waitgroup *wg)
{
    fill(p, 1000);
    free(p);
    char *q = malloc(1000);
    fill(q, 1000);
    free(q);
    go_waitgroup_done(wg);
}

int main(void)
{
    static const size_t sizes[] = {1, 24, 40, 1000, 5000, 70000, LARGE, HUGE_BLOCK};
    for (int round = 0; round < 2; round++) {
        for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            char *p = malloc(sizes[i]);
            fill(p, sizes[i]);
            p = realloc(p, sizes[i] * 2);
            fill(p, sizes[i] * 2);
            p = realloc(p, sizes[i]);
            fill(p, sizes[i]);
            char *q = realloc(p, too_much());
            fill(q ? q : p, sizes[i]);
            free(q ? q : p);
            p = calloc(1, sizes[i]);
            fill(p, sizes[i]);
            free(p);
        }
        go_waitgroup wg = GO_WAITGROUP_INIT;
        for (int i = 0; i < 20; i++) {
            char *p = malloc(1000);
            fill(p, 1000);
            go_waitgroup_add(&wg, 1);
            go(other, p, &wg);
        }
        go_waitgroup_wait(&wg);
    }
    return 0;
}
