/* The clean twin of race/thread_local.c: goroutines use their threads' variables in turn. They are not ordered, but those of one thread run one after
 * another, from one wait to the next. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// env: GOMAXPROCS=2
// runs: 3
#include "race_test.h"

static _Thread_local long calls;
static _Thread_local char text[32];
static _Thread_local struct { int a[100]; } large;
static go_waitgroup done;

/* Not inlined: in a function that waits the compiler may find the variables' addresses once, before the wait. */
__attribute__((noinline)) static bool use(int n)
{
    long before = calls++;
    snprintf(text, sizeof text, "call %d", n);
    memset(&large, n, sizeof large);
    return calls == before + 1 && atoi(text + 5) == n && large.a[99] == (n & 0xff) * 0x01010101;
}

static void uses(int n, bool wired)
{
    if (wired)
        go_lock_os_thread();
    for (int i = 0; i < 50; i++) {
        if (!use(n * 8 + i % 8))   /* at most 127 */
            sink = 1;   /* seen as a race, and by the status */
        if (i % 10 == 0)
            go_yield();
    }
    go_waitgroup_done(&done);
}

int main(void)
{
    go_waitgroup_add(&done, 16);
    for (int i = 0; i < 16; i++)
        go(uses, i, i % 5 == 0);
    go_waitgroup_wait(&done);
    return sink;
}
