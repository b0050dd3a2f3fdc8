/* A goroutine that is wired to its thread is left behind like any other; the program's own threads are not. One that runs is ignored by its function.
 * Labels are shown. */
// expect: ^leakcheck: found unexpected goroutines: 1$
// expect: ^goroutine [0-9]+ \[chan receive, locked to thread\] labels:\{"name": "waiter"\}:$
// expect: ^waits\(\)$
// expect: ^leakcheck: 1 goroutine leaked$
// absent: spins|visits
#include <gort.h>
#include <gort/leak.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

static _Atomic(bool) spinning;

static void waits(go_chan(int) c)
{
    go_lock_os_thread();
    go_set_name("waiter");
    go_recv(c, NULL);
}

static void spins(void)
{
    for (;;)
        spinning = true;
}

static void *visits(void *c)
{
    go_recv((go_chan(int))c, NULL);
    return NULL;
}

int main(void)
{
    pthread_t thread;
    go_chan(int) c = go_make_chan(int, 0), never = go_make_chan(int, 0);
    go(waits, c);
    go(spins);
    pthread_create(&thread, NULL, visits, never);
    while (!spinning)
        go_yield();
    const char *expected[] = {"spins", NULL};
    int left = leakcheck_with(&(struct leakcheck_options){.ignore_function = expected, .max_wait_ns = 20 * GO_MILLISECOND});
    _Exit(left == 1 ? 0 : 1);
}
