/* What goroutine-dump must not harm.
 *   signals: counts the signals that another process sends it, until it has had so many; prints how many
 *   vfork FIFO: one thread waits in vfork for a child that can't go on before somebody writes to FIFO; meanwhile the others count */
#define _GNU_SOURCE
#include <fcntl.h>
#include <gort.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIGNALS = 20000 };

extern char **environ;
static _Atomic(int) got;

static void count(int s)
{
    (void)s;
    got++;
}

static void works(void)
{
    for (volatile unsigned n = 0;;)
        n++;
}

/* A child sends them; the kernel keeps no more than so many waiting. */
static int signals(void)
{
    signal(SIGRTMIN, count);
    go(works);
    puts("ready");
    fflush(stdout);
    pid_t parent = getpid(), child = fork();
    if (child == 0) {
        for (int sent = 0; sent < SIGNALS;) {
            if (sigqueue(parent, SIGRTMIN, (union sigval){0}) == 0)
                sent++;
            usleep(sent % 8 == 0);
        }
        _exit(0);
    }
    while (waitpid(child, NULL, 0) != child) {}
    go_sleep(200 * GO_MILLISECOND);
    printf("got %d of %d\n", (int)got, SIGNALS);
    fflush(stdout);
    _exit(got == SIGNALS ? 0 : 1);
}

static void spawns(const char *fifo)
{
    go_set_name("spawner");
    go_set_label("says", "a \"word\"");
    char name[] = "true", *args[] = {name, NULL};
    pid_t child;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 3, fifo, O_RDONLY, 0);
    posix_spawnp(&child, name, &actions, NULL, args, environ);
    while (waitpid(child, NULL, 0) != child) {}
    _exit(0);
}

static _Noreturn void vforks(const char *fifo)
{
    go(spawns, fifo);
    go_sleep(100 * GO_MILLISECOND);
    puts("ready");
    for (;;) {
        puts("tick");
        fflush(stdout);
        go_sleep(10 * GO_MILLISECOND);
    }
}

int main(int argc, char **argv)
{
    go_maxprocs(2);
    if (argc == 2 && strcmp(argv[1], "signals") == 0)
        return signals();
    if (argc == 3 && strcmp(argv[1], "vfork") == 0)
        vforks(argv[2]);
    return 2;
}
