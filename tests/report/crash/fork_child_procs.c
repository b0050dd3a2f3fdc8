/* In a child of fork the owner of the only P is not there to be waited for: go_maxprocs comes back, or the child is told so and ends. */
// expect: ^no child hung$
// env: GOMAXPROCS=1
#include <gort.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void yields(void)
{
    for (;;)
        go_yield();
}

int main(void)
{
    go(yields);
    go(yields);
    for (int i = 0; i < 20; i++) {
        usleep(1000);
        pid_t child = fork();
        if (child == 0) {
            alarm(10);
            go_maxprocs(2);
            _exit(0);
        }
        int status;
        if (waitpid(child, &status, 0) != child || WIFSIGNALED(status)) {
            puts("a child hung");
            _exit(1);
        }
    }
    puts("no child hung");
    fflush(stdout);
    _exit(0);
}
