/* Each way to wait is named. */
// expect: found unexpected goroutines: 6
// expect: \[chan send\]:
// expect: sender\(\)
// expect: \[chan receive\]:
// expect: receiver\(\)
// expect: \[select\]:
// expect: selecter\(\)
// expect: \[sync\.Mutex\.Lock\]:
// expect: locker\(\)
// expect: \[sync\.WaitGroup\.Wait\]:
// expect: waiter\(\)
// expect: \[sleep\]:
// expect: sleeper\(\)
// expect: left 6
#include <gort.h>
#include <stdio.h>

static go_chan(int) c, d;
static go_mutex m;
static go_waitgroup wg;

static void sender(void) { go_send(c, 1); }
static void receiver(void) { go_recv(d, NULL); }
static void selecter(void) { (void)go_select(go_case_recv(d, NULL), go_case_send(c, 1)); }
static void locker(void) { go_mutex_lock(&m); go_mutex_unlock(&m); }
static void waiter(void) { go_waitgroup_wait(&wg); }
static void sleeper(void) { go_sleep(GO_HOUR); }

int main(void)
{
    c = go_make_chan(int, 0);
    d = go_make_chan(int, 0);
    go_mutex_lock(&m);
    go_waitgroup_add(&wg, 1);
    go(sender);
    go(receiver);
    go(selecter);
    go(locker);
    go(waiter);
    go(sleeper);
    printf("left %d\n", leakcheck_with(&(struct leakcheck_options){.max_wait_ns = 30 * GO_MILLISECOND}));
    return 0;
}
