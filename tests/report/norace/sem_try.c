/* The clean twin of race/sem_try.c: those that succeed do. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_sem s;
int y;
static void clean(void) { x = 1; go_sem_release(&s, 1); step(1); await(2); y = 1; go_sem_release(&s, 1); }

int main(void)
{
    go(clean);
    await(1);
    if (!(go_sem_try_acquire(&s, 1)))
        return 1;
    x = 2;
    step(2);
    if (!go_sem_acquire_timeout(&s, 1, GO_MINUTE))
        return 1;
    y = 2;
    return 0;
}
