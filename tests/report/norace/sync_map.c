/* The clean twin of race/sync_map.c: what comes before it is. Keys that are read in a range, and freed by whoever is last, are ordered too. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_sync_map m = GO_SYNC_MAP_STRINGS_INIT;
static void clean(void) { x = 1; go_sync_map_store(&m, "x", &x); }
static bool look(const void *key, void *value, void *arg)
{
    (void)value;
    *(int *)arg += ((const char *)key)[0];
    go_sync_map_delete(&m, key);
    return true;
}
static void churn(int seed, go_send_chan(int) done)
{
    int sum = 0;
    char key[8];
    for (int i = 0; i < 200; i++) {
        snprintf(key, sizeof key, "%d", (seed + i) % 17);
        go_sync_map_store(&m, key, &m);
        if (i % 10 == 0)
            go_sync_map_range(&m, look, &sum);
    }
    go_send(done, sum);
}

int main(void)
{
    void *v;
    go(clean);
    while (!go_sync_map_load(&m, "x", &v))
        usleep(100);
    x = 2;
    go_chan(int) done = go_make_chan(int, 0);
    for (int i = 0; i < 4; i++)
        go(churn, i, done);
    for (int i = 0; i < 4; i++)
        go_recv(done, NULL);
    go_sync_map_free(&m);
    return 0;
}
