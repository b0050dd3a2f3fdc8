/* Many goroutines of several threads that acquire at one place (a closed channel) and release at one (a read lock, a wait group): each has to know of all that was
 * left there, whichever thread it runs on, and nobody of what came after. The steps by which main waits for readers are hidden from the detector. */
#include "race_test.h"

enum { CROWD = 200, ROUNDS = 20 };

static go_chan(int) gate;
static go_waitgroup wg;
static go_rwmutex rw;
static int v[CROWD], read_by[CROWD], told, round_of;

static void after_read(int i, int r);
static void after_done(int i, int r);
static void all_over(void);   /* main waits for who is not waited for */

static void member(int i)
{
    go_recv(gate, NULL);
    int r = told;
    go_rwmutex_rlock(&rw);
    read_by[i] = round_of;
    go_rwmutex_runlock(&rw);
    after_read(i, r);
    step_on();
    v[i] = r;
    go_waitgroup_done(&wg);
    after_done(i, r);
}

int main(void)
{
    go_maxprocs(4);
    for (int r = 0; r < ROUNDS; r++) {
        gate = go_make_chan(int, 0);
        go_waitgroup_add(&wg, CROWD);
        for (int i = 0; i < CROWD; i++)
            go(member, i);
        go_sleep(500000);
        told = r;
        go_close(gate);
        await(CROWD * (r + 1));
        go_rwmutex_lock(&rw);
        for (int i = 0; i < CROWD; i++)
            sink += read_by[i];
        round_of++;
        go_rwmutex_unlock(&rw);
        go_waitgroup_wait(&wg);
        if (r == ROUNDS - 1)
            all_over();
        for (int i = 0; i < CROWD; i++)
            sink += v[i];
        go_chan_free(gate);
    }
    return 0;
}
