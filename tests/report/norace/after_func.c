/* The clean twin of race/after_func.c: ordered after what came before its start and before each reset. Its timer may be freed by its goroutine, and memory used again. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static go_chan(int) done;
static void clean(void *arg) { (void)arg; x++; go_send(done, 1); }
static void reset(go_timer *t) { x++; go_timer_reset(t, 1000); }

int main(void)
{
    done = go_make_chan(int, 0);
    for (int i = 0; i < 50; i++) {
        x = 2;
        go_timer *t = go_after_func(1000, clean, NULL);
        go_recv(done, NULL);
        go(reset, t);
        go_recv(done, NULL);
        x = 3;
        go_timer_free(t);
    }
    return 0;
}
