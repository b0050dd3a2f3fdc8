/* The resolver of an indirect function is code of the program that the dynamic linker runs before there are thread-local variables. */
// expect: chosen 42
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
#include "race_test.h"

int answer(int n);
static int calls, table[4];
static int plus(int n) { return n + table[3]; }
static __attribute__((used)) int (*choose(void))(int)
{
    for (int i = 0; i < 4; i++)
        table[i] = 10 * i;
    calls++;
    return plus;
}
int answer(int n) __attribute__((ifunc("choose")));

static void *reads(void *p)
{
    sink = table[3] + calls;
    return p;
}

int main(void)
{
    pthread_t t;
    pthread_create(&t, NULL, reads, NULL);
    pthread_join(t, NULL);
    printf("chosen %d\n", answer(12));
    return 0;
}
