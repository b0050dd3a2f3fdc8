/* A map set and read by two goroutines, though not at the same moment. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static void racy(go_map(int, int) m) { go_map_set(m, 1, 1); step(1); }

int main(void)
{
    go_map(int, int) m = go_make_map(int, int);
    go(racy, m);
    await(1);
    go_map_get(m, 2, &x);
    return 0;
}
