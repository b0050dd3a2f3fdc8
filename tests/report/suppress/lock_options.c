/* Reports of locks can be turned off. */
// race-expect: ^done$
// absent: WARNING|Found
// env: GORACE=detect_deadlocks=0 report_mutex_bugs=0 atexit_sleep_ms=0
#include "race_test.h"

static go_mutex a, b;
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static void racy(void) { go_mutex_lock(&a); go_mutex_lock(&b); go_mutex_unlock(&b); go_mutex_unlock(&a); step(1); }

int main(void)
{
    go(racy);
    await(1);
    go_mutex_lock(&b);
    go_mutex_lock(&a);
    go_mutex_unlock(&a);
    go_mutex_unlock(&b);
    pthread_mutex_unlock(&m);
    puts("done");
    return 0;
}
