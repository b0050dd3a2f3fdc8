/* Two permits: both goroutines are inside at once. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_sem s;
static void racy(void) { go_sem_acquire(&s, 1); x++; step(1); await(2); go_sem_release(&s, 1); }

int main(void)
{
    go_sem_init(&s, 2);
    go(racy);
    await(1);
    go_sem_acquire(&s, 1);
    x++;
    step(2);
    go_sem_release(&s, 1);
    return 0;
}
