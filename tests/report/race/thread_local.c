/* A thread-local variable, written by a goroutine on its thread and then by another goroutine through a pointer. */
// race-expect: WARNING: DATA RACE
// race-expect: ^Write at 0x[0-9a-f]+ by goroutine [0-9]+:$
// race-expect: ^  visitor\(\)
// race-expect: ^Previous write at 0x[0-9a-f]+ by goroutine [0-9]+:$
// race-expect: ^  owner\(\)
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static _Thread_local long mine;
static long *shared;
static go_waitgroup done;

HIDDEN void share(void) { shared = &mine; }
HIDDEN long *look(void) { return shared; }

static void owner(void)
{
    go_lock_os_thread();   /* the thread stays its own */
    share();
    mine = 1;
    step(1);
    await(2);
    go_waitgroup_done(&done);
}

static void visitor(void)
{
    await(1);
    *look() = 2;
    step(2);
    go_waitgroup_done(&done);
}

int main(void)
{
    go_waitgroup_add(&done, 2);
    go(owner);
    go(visitor);
    go_waitgroup_wait(&done);
    return 0;
}
