/* A program that ignores SIGQUIT itself goes on. */
// expect: ^goes on$
// absent: SIGQUIT
// status: 0
#include <gort.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static void nothing(void) {}

int main(void)
{
    signal(SIGQUIT, SIG_IGN);
    go(nothing);
    go_sleep(GO_MILLISECOND);
    kill(getpid(), SIGQUIT);
    go_sleep(10 * GO_MILLISECOND);
    puts("goes on");
    return 0;
}
