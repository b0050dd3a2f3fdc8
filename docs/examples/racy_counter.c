/* A race: 1,000 goroutines increment a counter without synchronization. Built with race detection, the program reports it and ends with 66. */
// expect: count
// race-expect: WARNING: DATA RACE
// race-expect: (Read|Write) at 0x[0-9a-f]+ by goroutine [0-9]+:
// race-expect: increment\(\)
// race-expect: racy_counter\.c:22
// race-expect: Previous (write|read) at 0x[0-9a-f]+ by goroutine [0-9]+:
// race-expect: increment\(\)
// race-expect: racy_counter\.c:22
// race-expect: Global var counter of size 4
// race-expect: Goroutine [0-9]+ \((running|finished)\) created at:
// race-expect: main\(\)
// race-expect: Found 1 data race\(s\)
// race-status: 66
#include <gort.h>
#include <stdio.h>

static int counter;

static void increment(go_waitgroup *wg)
{
    counter++;
    go_waitgroup_done(wg);
}

int main(void)
{
    go_waitgroup wg = GO_WAITGROUP_INIT;
    go_waitgroup_add(&wg, 1000);
    for (int i = 0; i < 1000; i++)
        go(increment, &wg);
    go_waitgroup_wait(&wg);
    printf("count %d\n", counter);
    return 0;
}
