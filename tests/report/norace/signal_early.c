/* A signal that comes before the new thread's first instruction belongs to that thread: what its maker did happened before. The thread's mask is its maker's,
 * or that of its attributes. */
// expect: all done
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
#define _GNU_SOURCE
#include "race_test.h"
#include <signal.h>

static int wanted, arrived;
static void handler(int s)
{
    (void)s;
    arrived += wanted;
}
static bool blocks(int s)
{
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    return sigismember(&mask, s) == 1;
}
static void *waits(void *p)
{
    if (blocks(SIGUSR1) || !blocks(SIGUSR2))
        abort();
    while (*(volatile int *)&arrived == 0)
        usleep(100);
    return p;
}
static void *masked(void *p)
{
    if (!blocks(SIGUSR1) || blocks(SIGUSR2))
        abort();
    return p;
}

int main(void)
{
    struct sigaction a = {.sa_handler = handler};
    sigaction(SIGUSR1, &a, NULL);
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &mask, NULL);
    pthread_t t;
    for (int i = 0; i < 300; i++) {
        wanted = 1;
        arrived = 0;
        pthread_create(&t, NULL, waits, NULL);
        pthread_kill(t, SIGUSR1);
        pthread_join(t, NULL);
    }
    if (blocks(SIGUSR1) || !blocks(SIGUSR2))
        abort();
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR1);
    pthread_attr_setsigmask_np(&attr, &mask);
    pthread_create(&t, &attr, masked, NULL);
    pthread_join(t, NULL);
    puts("all done");
    return 0;
}
