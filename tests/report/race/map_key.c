/* A string that one goroutine changes while another looks it up. */
// race-expect: WARNING: DATA RACE
// race-expect: racy\(\)|main\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static char text[] = "abc";
static void racy(void) { text[1] = 'x'; step(1); }

int main(void)
{
    go_string_map(int) m = go_make_string_map(int);
    go(racy);
    await(1);
    go_map_set(m, text, 1);
    return 0;
}
