/* The buffers of calls of the system that the program tells of are its accesses, and what it does behind a write is not ordered by it. */
// race-expect: WARNING: DATA RACE
// race-expect: Found 3 data race\(s\)
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
#include "race_test.h"
#include "syscalls.inc"

static int p[2], nowhere[2];
static char sent = 's', received;
int value;

static void *teller(void *arg)
{
    tell(p[1], "t");
    tell(nowhere[1], &sent);
    value = 1;
    received = 'o';
    step(1);
    return arg;
}

int main(void)
{
    pthread_t t;
    pipe(p);
    pipe(nowhere);
    others();
    pthread_create(&t, NULL, teller, NULL);
    await(1);
    hear(p[0], &received);
    sent = 'x';
    value++;
    end(p[0]);
    end(p[1]);
    pthread_join(t, NULL);
    return 0;
}
