/* A child of fork has no monitor, and tells of its end all the same: a fault, and what libc ends it for. */
// expect: ^panic: runtime error: invalid memory address or nil pointer dereference$
// expect: ^goroutine 1 \[running\]:$
// expect: ^main\(\)$
// expect: ^SIGABRT: abort$
// expect: ^goroutine 1 \[running\]:$
// expect: ^main\(\)$
// expect: ^status 2$
// absent: waits
#include <gort.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int *volatile nowhere;

static void waits(go_chan(int) c)
{
    go_recv(c, NULL);
}

int main(void)
{
    go_chan(int) c = go_make_chan(int, 0);
    go(waits, c);
    go_yield();
    for (int i = 0; i < 2; i++) {
        int status;
        pid_t child = fork();
        if (child == 0) {
            if (i == 0)
                *nowhere = 1;
            abort();
        }
        if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 2)
            return 1;
    }
    puts("status 2");
    fflush(stdout);
    _exit(0);
}
