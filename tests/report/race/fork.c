/* The child of a process with one thread is checked as its parent. */
// race-expect: WARNING: DATA RACE
// race-expect: child status 66
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
#include "race_test.h"
#include <sys/wait.h>

static void racy(void) { x = 1; step(1); }

int main(void)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        go(racy);
        await(1);
        x = 2;
        exit(0);
    }
    waitpid(pid, &status, 0);
    printf("child status %d\n", WEXITSTATUS(status));
    return WEXITSTATUS(status);
}
