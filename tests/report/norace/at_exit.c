/* The clean twin of race/at_exit.c: what precedes atexit and on_exit happens before the calls. Nobody waits for the thread. */
// expect: on_exit: 3
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static void first(void) { x++; }
static void last(int status, void *p)
{
    x++;
    fprintf(stderr, "on_exit: %d\n", *(int *)p + status);
}
static void *registers(void *p)
{
    x = 1;
    on_exit(last, &x);
    atexit(first);
    step(1);
    await(2);
    return p;
}

int main(void)
{
    pthread_t t;
    pthread_create(&t, NULL, registers, NULL);
    await(1);
    return 0;
}
