/* Life with the rest of the process: fork and exec, posix_spawn, system, threads that call back. */
#define _GNU_SOURCE
#include <criterion/criterion.h>
#include <errno.h>
#include <gort.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static atomic_bool stop;
static go_waitgroup busy;

static void works(go_chan(int) c)
{
    int v;
    while (!stop) {
        go_try_send(c, 1);
        go_try_recv(c, &v);
        go_sleep(100000);
    }
    go_waitgroup_done(&busy);
}

static void start_work(go_chan(int) c)
{
    go_waitgroup_add(&busy, 100);
    for (int i = 0; i < 100; i++)
        go(works, c);
}

static void end_work(void)
{
    stop = true;
    go_waitgroup_wait(&busy);
}

/* What a child says comes through a pipe that a goroutine reads. */
static void run_echo(int i)
{
    int p[2], status;
    char text[20], said[40];
    cr_expect_eq(pipe(p), 0);
    snprintf(text, sizeof text, "child %d", i);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(p[1], 1);
        close(p[0]);
        close(p[1]);
        execl("/bin/echo", "echo", text, (char *)NULL);
        _exit(127);
    }
    close(p[1]);
    go_conn *r;
    cr_expect_eq(go_conn_from_fd(p[0], &r), 0);
    size_t got;
    cr_expect_eq(go_read_full(r, said, sizeof said, &got), GO_ERR_UNEXPECTED_EOF);
    cr_expect_eq(got, strlen(text) + 1);
    cr_expect(memcmp(said, text, strlen(text)) == 0);
    go_conn_close(r);
    cr_expect_eq(waitpid(pid, &status, 0), pid);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    go_waitgroup_done(&busy);
}

Test(process, fork_and_exec_while_goroutines_work, .timeout = 60)
{
    go_chan(int) c = go_make_chan(int, 10);
    start_work(c);
    for (int i = 0; i < 100; i++) {
        go_waitgroup_add(&busy, 1);
        go(run_echo, i);
    }
    go_sleep(50 * GO_MILLISECOND);
    end_work();
    go_chan_free(c);
}

/* A child that is killed by SIGPIPE as it should be: the runtime's own handling is not inherited. */
Test(process, children_handle_sigpipe_as_ever, .timeout = 60)
{
    go_conn *r, *w;
    cr_assert_eq(go_pipe(&r, &w), 0);   /* from here on this process handles SIGPIPE */
    go_conn_close(r);
    cr_assert_eq(go_write(w, "x", 1), -EPIPE);
    go_conn_close(w);
    pid_t pid;
    char *argv[] = {"sh", "-c", "kill -PIPE $$; exit 3", NULL};
    int status;
    cr_assert_eq(posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, environ), 0);
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
    cr_assert_eq(system("exit 5") >> 8, 5);
    FILE *f = popen("echo popen", "r");
    char line[20];
    cr_assert(f && fgets(line, sizeof line, f));
    cr_assert_str_eq(line, "popen\n");
    cr_assert_eq(pclose(f), 0);
}

static void write_to_closed_pipe(bool own, go_waitgroup *wg)
{
    int fds[2];
    go_conn *w;
    if (pipe(fds) != 0 || close(fds[0]) != 0)
        _exit(1);
    if (own) {
        ssize_t n = write(fds[1], "x", 1);
        _exit(n < 0 ? 2 : 3);
    }
    if (go_conn_from_fd(fds[1], &w) != 0 || go_write(w, "x", 1) != -EPIPE)
        _exit(4);
    go_conn_close(w);
    go_waitgroup_done(wg);
}

/* The runtime's writes never raise SIGPIPE; those of the program's own end it as in any program, from whatever goroutine. */
Test(process, sigpipe_is_quiet_for_the_runtime_alone, .timeout = 60)
{
    for (int in_goroutine = 0; in_goroutine < 2; in_goroutine++) {
        pid_t pid = fork();   /* nothing has called the runtime so far */
        if (pid == 0) {
            go_waitgroup wg = GO_WAITGROUP_INIT;
            signal(SIGPIPE, SIG_DFL);
            go_waitgroup_add(&wg, 2);
            write_to_closed_pipe(false, &wg);
            go(write_to_closed_pipe, false, &wg);
            go_waitgroup_wait(&wg);
            if (in_goroutine)
                go(write_to_closed_pipe, true, &wg);
            else
                write_to_closed_pipe(true, &wg);
            go_sleep(20 * GO_SECOND);
            _exit(5);
        }
        int status;
        cr_assert_eq(waitpid(pid, &status, 0), pid);
        cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE, "status %d", status);
    }
}

static long threads_now(void)
{
    long n = 0;
    char line[200];
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        sscanf(line, "Threads: %ld", &n);
    fclose(f);
    return n;
}

static void *call_back(void *c)
{
    go_send((go_chan(int))c, 7);
    return NULL;
}

/* A library's thread, which we never heard of, calls back and sends on a channel; many times, and nothing of them is left. */
Test(process, threads_call_back, .timeout = 60)
{
    go_chan(int) c = go_make_chan(int, 0);
    int before = go_num_goroutine();
    long threads = threads_now();
    for (int i = 0; i < 1000; i++) {
        pthread_t t;
        int v = 0;
        cr_assert_eq(pthread_create(&t, NULL, call_back, (void *)c), 0);
        cr_assert(go_recv(c, &v));
        cr_assert_eq(v, 7);
        pthread_join(t, NULL);
    }
    cr_assert_eq(go_num_goroutine(), before);
    cr_assert_leq(threads_now(), threads + 3, "the workers, and no more");
    go_chan_free(c);
}
