/* The clean twin of race/sem_wait.c: all releases that gave the permits happen before the acquire. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_sem s;
static int y;
static void clean(int *p) { usleep(20000); *p = 1; go_sem_release(&s, 1); }

int main(void)
{
    go(clean, &x);
    go(clean, &y);
    go_sem_acquire(&s, 2);
    sink = x + y;
    return 0;
}
