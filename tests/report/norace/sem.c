/* The clean twin of race/sem.c: one permit, and a release happens before a later acquire. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_sem s;
static void clean(int me) { go_sem_acquire(&s, 1); x++; go_sem_release(&s, 1); step(me); }

int main(void)
{
    go_sem_init(&s, 1);
    go(clean, 1);
    await(1);
    go(clean, 2);
    await(2);
    go_sem_acquire(&s, 1);
    x++;
    return 0;
}
