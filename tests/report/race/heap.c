/* A block's end is a write to all of it, what realloc keeps and calloc zeroes is written by them. */
// race-expect: WARNING: DATA RACE
// race-expect: Found 5 data race\(s\)
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
#include "race_test.h"
#include <malloc.h>

static char *volatile block[5];
static void user(void)
{
    for (int i = 0; i < 3; i++)
        block[i][20] = 1;
    step(1);
    await(2);
    sink += block[3][2000];   /* what realloc moved or kept */
    sink += block[4][5];      /* what calloc zeroed */
    step(3);
}

HIDDEN void hidden_set(int i, char *p) { __asm__ volatile("movq %1, %0" : "=m"(block[i]) : "r"(p) : "memory"); }

int main(void)
{
    char *p = malloc(100), *q = malloc(100), *r = malloc(1 << 20), *s = malloc(4000);
    hidden_set(0, p);
    hidden_set(1, q);
    hidden_set(2, r);
    go(user);
    await(1);
    free(p);
    q = realloc(q, 10);
    free(r);   /* a big one */
    s = realloc(s, 100000);
    hidden_set(3, s);
    hidden_set(4, calloc(10, 10));
    step(2);
    await(3);
    free(q);
    return 0;
}
