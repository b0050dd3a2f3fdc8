/* Two goroutines at a variable of a third one's stack, which waits meanwhile: a loop variable's address handed out. */
// race-expect: ^Location is stack of main goroutine, local var pair of main\(\) declared at .*stack_parked\.c:[0-9]+$
// race-expect: ^Accessed part: pair\.second \(field second of struct pair\)$
// race-expect: ^Found 1 data race\(s\)$
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
#include "race_test.h"

struct pair { int first, second; };
static go_waitgroup wg;

static void first(struct pair *p) { p->second = 1; step(1); go_waitgroup_done(&wg); }
static void second(struct pair *p) { await(1); go_sleep(20000000); p->second = 2; go_waitgroup_done(&wg); }

int main(void)
{
    struct pair pair = {0, 0};
    go_waitgroup_add(&wg, 2);
    go(second, &pair);
    go(first, &pair);
    go_waitgroup_wait(&wg);
    sink = pair.second;
    return 0;
}
