/* Goroutines hold a pthread mutex while they yield, so they may unlock it on another thread than the one that locked it; glibc's mutex does not mind. */
// absent: WARNING
// expect: ^counted 1600$
// env: GORACE=atexit_sleep_ms=0
#include "race_test.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static go_waitgroup wg = GO_WAITGROUP_INIT;

static void count(void)
{
    for (int i = 0; i < 200; i++) {
        while (pthread_mutex_trylock(&m) != 0)
            go_yield();
        x++;
        go_yield();
        x++;
        pthread_mutex_unlock(&m);
    }
    go_waitgroup_done(&wg);
}

int main(void)
{
    go_maxprocs(4);
    go_waitgroup_add(&wg, 4);
    for (int i = 0; i < 4; i++)
        go(count);
    go_waitgroup_wait(&wg);
    printf("counted %d\n", x);
    return 0;
}
