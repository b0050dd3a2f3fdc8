/* Many goroutines read many words in no order: each word's readers are remembered, until memory_limit_mb is reached. Then it says so, the oldest go, memory stays
 * where it is, and the races that are left are found. */
// race-expect: ^gort: race detector: memory_limit_mb is reached: from now on the oldest accesses are forgotten, and races with them are not found
// race-expect: WARNING: DATA RACE
// race-expect: Write at
// race-expect: main\(\)
// race-expect: Previous read at
// race-expect: reads\(\)
// race-expect: ^small$
// race-status: 66
// env: GORACE=atexit_sleep_ms=0:memory_limit_mb=30
#include "race_test.h"
#include <sys/resource.h>

enum { READERS = 1000, WORDS = 8192 };   /* 16 bytes for each reader of each word: 130 MB */
static long words[WORDS];
static go_chan(int) gate;

HIDDEN void one_more(void)
{
    __asm__ volatile("lock incl %0" : "+m"(hidden_step) : : "memory");
}

static void reads(void)
{
    long sum = 0;
    for (int i = 0; i < WORDS; i++)
        sum += words[i];
    sink = (int)sum;
    one_more();
    go_recv(gate, NULL);   /* alive until all have read */
}

int main(void)
{
    gate = go_make_chan(int, 0);
    for (int i = 0; i < READERS; i++)
        go(reads);
    await(READERS);
    words[0] = 1;
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    puts(u.ru_maxrss < 110 * 1024 ? "small" : "large");
    go_close(gate);
    return 0;
}
