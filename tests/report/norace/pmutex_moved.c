/* A goroutine unlocks a pthread mutex on another thread than the one that locked it; glibc's mutex does not mind. (It parks meanwhile, and who wakes it keeps
 * its thread busy until it has gone on.) */
// absent: WARNING
// expect: ^moved 5 times$
// env: GORACE=atexit_sleep_ms=0
#define _GNU_SOURCE
#include "race_test.h"

#include <unistd.h>

enum { MOVES = 5, TRIES = 2000 };
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static atomic_int gone_on;   /* turns; relaxed: orders nothing */

static void wake(go_chan(int) c, int turn)
{
    go_send(c, turn);
    while (atomic_load_explicit(&gone_on, memory_order_relaxed) < turn) {
    }
}

static void hold(go_chan(int) c, go_waitgroup *wg)
{
    int moved = 0;
    for (int turn = 1; turn <= TRIES && moved < MOVES; turn++) {
        pthread_mutex_lock(&m);
        pid_t here = gettid();
        x++;
        go(wake, c, turn);
        go_recv(c, NULL);
        atomic_store_explicit(&gone_on, turn, memory_order_relaxed);
        x++;
        moved += gettid() != here;
        pthread_mutex_unlock(&m);
    }
    printf("moved %d times\n", moved);
    go_waitgroup_done(wg);
}

/* It waits on a thread of its own: in a lock of libc's a goroutine would keep that thread. */
static void *other(void *p)
{
    for (int i = 0; i < 100; i++) {
        pthread_mutex_lock(&m);
        x++;
        pthread_mutex_unlock(&m);
        usleep(100);
    }
    return p;
}

int main(void)
{
    go_maxprocs(4);
    go_chan(int) c = go_make_chan(int, 1);
    go_waitgroup wg = GO_WAITGROUP_INIT;
    pthread_t t;
    pthread_create(&t, NULL, other, NULL);
    go_waitgroup_add(&wg, 1);
    go(hold, c, &wg);
    go_waitgroup_wait(&wg);
    pthread_join(t, NULL);
    go_chan_free(c);
    return 0;
}
