/* Many goroutines of several threads read one word, with nothing that orders them among themselves, so that each thread records its own readers' accesses apart;
 * then it is written, again and again. Main waits by hidden steps, which order nothing, for what they do after they were waited for. */
#include "race_test.h"

enum { READERS = 600, ROUNDS = 6 };

static go_chan(int) gate;
static go_waitgroup wg;

static void after_done(int i, int round);

static int look(void) { return *(volatile int *)&x; }

static void reader(int i, int round)
{
    go_recv(gate, NULL);
    for (int k = 0; k <= i % 3; k++)
        if (look() != round)
            abort();
    go_waitgroup_done(&wg);
    after_done(i, round);
    step_on();
}

int main(void)
{
    go_maxprocs(4);
    for (int r = 0; r < ROUNDS; r++) {
        gate = go_make_chan(int, 0);
        go_waitgroup_add(&wg, READERS);
        for (int i = 0; i < READERS; i++)
            go(reader, i, r);
        go_close(gate);
        go_waitgroup_wait(&wg);
        await(READERS * (r + 1));
        x = r + 1;
        go_chan_free(gate);
    }
    return 0;
}
