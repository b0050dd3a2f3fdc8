/* Sleeps and timeouts that end while the goroutine that waits is just about to leave its processor, fired by another one that is about to leave its own:
 * timers of all goroutines lie in all Ps' heaps, and whoever parks fires those that are due. */
#include "stress.h"

enum { GOROUTINES = 16, EACH = 1500 };

static go_mutex m;
static go_cond nobody;   /* signals it */

static void sleeper(uint32_t me, go_waitgroup *wg)
{
    uint32_t s = stream(me);
    go_chan(int) never = go_make_chan(int, 0);
    for (int i = 0; i < EACH; i++) {
        int64_t ns = rnd(&s) % 3000;
        switch (rnd(&s) % 4) {
        case 0:
        case 1:
            go_sleep(ns);
            break;
        case 2:
            CHECK_EQ(go_select(go_case_recv(never, NULL), go_case_timeout(ns)), 1);
            break;
        default:
            go_mutex_lock(&m);
            CHECK_EQ(go_cond_wait_timeout(&nobody, &m, ns), false);
            go_mutex_unlock(&m);
        }
    }
    go_chan_free(never);
    go_waitgroup_done(wg);
}

int main(int argc, char **argv)
{
    read_seed(argc, argv);
    go_waitgroup wg = GO_WAITGROUP_INIT;
    go_waitgroup_add(&wg, GOROUTINES);
    for (uint32_t i = 0; i < GOROUTINES; i++)
        go(sleeper, i, &wg);
    go_waitgroup_wait(&wg);
    CHECK_EQ(leakcheck(), 0);
    return 0;
}
