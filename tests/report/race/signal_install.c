/* What follows the installation of a handler is not ordered with its calls on other threads, also if the signal is sent after it. */
// race-expect: WARNING: DATA RACE
// race-expect: on_signal\(\)
// race-expect: Found [0-9] data race\(s\)
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"
#include <signal.h>

enum { SIGNALS = 2 };
static atomic_int handled;

static void on_signal(int s)
{
    (void)s;
    x++;
    atomic_fetch_add_explicit(&handled, 1, memory_order_relaxed);
}

static void *interrupted(void *p)
{
    while (atomic_load_explicit(&handled, memory_order_relaxed) < SIGNALS)
        usleep(1000);
    return p;
}

int main(void)
{
    struct sigaction a = {.sa_handler = on_signal};
    pthread_t t;
    pthread_create(&t, NULL, interrupted, NULL);
    sigaction(SIGUSR1, &a, NULL);
    x = 1;
    for (int i = 0; i < SIGNALS; i++) {
        pthread_kill(t, SIGUSR1);
        while (atomic_load_explicit(&handled, memory_order_relaxed) <= i)
            usleep(100);
    }
    pthread_join(t, NULL);
    puts("handled");
    return 0;
}
