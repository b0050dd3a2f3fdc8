/* A call of the system that the program tells of orders as libc's function does. */
// absent: DATA RACE
// expect: all done
// env: GORACE=atexit_sleep_ms=0
#include "race_test.h"
#include "syscalls.inc"

static int p[2], nowhere[2];
static char sent = 's', received;
int value;

static void *teller(void *arg)
{
    tell(nowhere[1], &sent);
    value = 1;
    received = 'o';
    tell(p[1], "t");
    return arg;
}

int main(void)
{
    pthread_t t;
    pipe(p);
    pipe(nowhere);
    others();
    pthread_create(&t, NULL, teller, NULL);
    hear(p[0], &received);
    sent = 'x';
    value++;
    end(p[0]);
    end(p[1]);
    pthread_join(t, NULL);
    puts("all done");
    return 0;
}
