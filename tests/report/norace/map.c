/* The clean twin of race/map.c: a mutex for those who write, nothing for those who only read. Maps that come and go use the same memory. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// env: GOMAXPROCS=1
// runs: 3
#include "race_test.h"

static go_mutex lock;
static void clean(go_string_map(int) m, go_send_chan(int) done)
{
    go_mutex_lock(&lock);
    go_map_set(m, "a", 1);
    go_map_delete(m, "b");
    go_mutex_unlock(&lock);
    go_send(done, 1);
}
static void reader(go_string_map(int) m, go_send_chan(int) done)
{
    int v, n = 0;
    const char *k;
    go_map_get(m, "a", &v);
    go_map_each(m, &k, &v)
        n += k[0] == 'a';
    go_send(done, n);
}
static void alone(go_send_chan(int) done)
{
    for (int i = 0; i < 10; i++) {
        go_map(int, int) m = go_make_map(int, int);
        go_map_set(m, i, i);
        go_map_free(m);
    }
    go_send(done, 1);
}

int main(void)
{
    go_chan(int) done = go_make_chan(int, 2);
    go(alone, done);
    go(alone, done);
    go_recv(done, NULL);
    go_recv(done, NULL);
    for (int i = 0; i < 30; i++) {
        go_string_map(int) m = go_make_string_map(int);
        go(clean, m, done);
        go(clean, m, done);
        go_recv(done, NULL);
        go_recv(done, NULL);
        go(reader, m, done);
        go(reader, m, done);
        go_recv(done, NULL);
        go_recv(done, &x);
        go_map_free(m);
    }
    return x != 1;
}
