/* The clean twin of race/mutex.c. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_mutex m;
static void clean(void) { go_mutex_lock(&m); x++; go_mutex_unlock(&m); step(1); }

int main(void)
{
    go(clean);
    await(1);
    go_mutex_lock(&m);
    x++;
    go_mutex_unlock(&m);
    return 0;
}
