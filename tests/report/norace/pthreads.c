/* The clean twin of race/pthreads.c: create, join, mutex, and a channel between threads. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static go_chan(int) c;
static void *clean(void *p) { pthread_mutex_lock(&m); x++; pthread_mutex_unlock(&m); go_send(c, 1); return p; }

int main(void)
{
    pthread_t t[4];
    c = go_make_chan(int, 0);
    x = 1;
    for (int i = 0; i < 4; i++)
        pthread_create(&t[i], NULL, clean, NULL);
    for (int i = 0; i < 4; i++)
        go_recv(c, NULL);
    x++;
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    x++;
    return 0;
}
