/* A child of fork that would need the parent's threads says so and ends, whether main or a goroutine forked; it may do what needs nobody, and exec. */
// expect: fatal error: goroutines can't run in a child of fork: .* exec or _exit
// expect: fatal error: goroutines can't run in a child of fork: .* exec or _exit
// expect: fatal error: goroutines can't run in a child of fork: .* exec or _exit
// expect: ^all as it should be$
#include <gort.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void sends(go_chan(int) c)
{
    go_send(c, 1);
}

static void sleeps(void)
{
    go_sleep(GO_MILLISECOND);
}

static void meets(void)
{
    go_chan(int) c = go_make_chan(int, 0);
    go(sends, c);
    go_recv(c, NULL);
}

static void is_alone(void)
{
    static go_mutex m;
    go_chan(int) c = go_make_chan(int, 1);
    go_mutex_lock(&m);
    go_send(c, 1);
    go_recv(c, NULL);
    go_mutex_unlock(&m);
    execl("/bin/true", "true", (char *)NULL);
}

static void in_a_child(void (*fn)(void), int status)
{
    int got;
    pid_t child = fork();
    if (child == 0) {
        alarm(30);
        fn();
        _exit(11);
    }
    if (waitpid(child, &got, 0) != child || !WIFEXITED(got) || WEXITSTATUS(got) != status) {
        printf("wait status %x\n", got);
        exit(1);
    }
}

static void from_goroutine(go_waitgroup *done)
{
    in_a_child(sleeps, 2);
    in_a_child(is_alone, 0);
    go_waitgroup_done(done);
}

int main(void)
{
    go_waitgroup done = GO_WAITGROUP_INIT;
    meets();   /* the runtime has threads */
    in_a_child(sleeps, 2);
    in_a_child(meets, 2);
    in_a_child(is_alone, 0);
    go_waitgroup_add(&done, 1);
    go(from_goroutine, &done);
    go_waitgroup_wait(&done);
    puts("all as it should be");
}
