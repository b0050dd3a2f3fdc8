/* The one signal that comes while its thread does nothing but accesses, so that it most often interrupts the detector: its handler is checked. */
// race-expect: WARNING: DATA RACE
// race-expect: on_alarm\(\)
// race-expect: Found 1 data race\(s\)
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 10
#include "race_test.h"
#include <sys/time.h>

static volatile sig_atomic_t came;
static int numbers[1024];

static void on_alarm(int s)
{
    (void)s;
    x++;
    came = 1;
}

static void *other(void *p)
{
    x = 2;
    return p;
}

int main(void)
{
    pthread_t t;
    create_without(SIGALRM, &t, other, NULL);
    signal(SIGALRM, on_alarm);
    struct itimerval soon = {{0, 0}, {0, 2000}};
    setitimer(ITIMER_REAL, &soon, NULL);
    while (!came)
        for (int i = 0; i < 1024; i++)
            numbers[i]++;
    pthread_join(t, NULL);
    puts("handled");
    return 0;
}
