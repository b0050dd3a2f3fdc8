/* A child closes and replaces its own descriptors, not those that its parent's threads use. */
// expect: all done
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
#define _GNU_SOURCE
#include "race_test.h"
#include <fcntl.h>
#include <sys/wait.h>

static int fd;
static _Atomic bool stop;
static void *writes(void *p)
{
    while (!stop)
        write(fd, "x", 1);
    return p;
}

static void child(int out)
{
    dup2(out, 1);
    for (int i = 3; i < 100; i++)
        close(i);
    execl("/bin/sh", "sh", "-c", "exit 7", NULL);
    _exit(1);
}

int main(void)
{
    pthread_t t;
    fd = open("/dev/null", O_WRONLY);
    pthread_create(&t, NULL, writes, NULL);
    for (int i = 0; i < 10; i++) {
        int status, null = open("/dev/null", O_WRONLY);
        pid_t pid = i % 2 ? fork() : vfork();
        if (pid == 0)
            child(null);
        close(null);
        if (waitpid(pid, &status, 0) != pid || WEXITSTATUS(status) != 7)
            abort();
    }
    stop = true;
    pthread_join(t, NULL);
    close(fd);
    puts("all done");
    return 0;
}
