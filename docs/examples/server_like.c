/* A process like a server, to be looked at with goroutine-dump: 1,000 goroutines parked in several places and ways. Prints "ready PID",
 * then lives until its standard input ends or the number of seconds given as argument has passed. */
// args: 1
// expect: ready [0-9]+
#include <gort.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static go_chan(int) jobs, results;
static go_mutex registry;
static _Atomic(int) parked;

static void await_job(int depth)
{
    if (depth > 0)
        await_job(depth - 1);
    else
        go_recv(jobs, NULL);
}

static void worker(int id) { parked++; await_job(id % 5); }
static void publisher(void) { parked++; go_send(results, 1); }
static void session(void) { parked++; go_mutex_lock(&registry); go_mutex_unlock(&registry); }
static void janitor(void) { parked++; go_sleep(GO_HOUR); }
static void dispatcher(void) { parked++; go_select(go_case_recv(jobs, NULL), go_case_send(results, 2), go_case_timeout(GO_HOUR)); }

static void await_end(go_send_chan(char) end)
{
    char c;
    while (read(STDIN_FILENO, &c, 1) > 0) {
    }
    go_send(end, 'x');
}

int main(int argc, char **argv)
{
    jobs = go_make_chan(int, 0);
    results = go_make_chan(int, 0);
    go_mutex_lock(&registry);
    for (int i = 0; i < 200; i++) {
        go(worker, i);
        go(publisher);
        go(session);
        go(janitor);
        go(dispatcher);
    }
    while (parked < 1000 || go_num_goroutine() != 1001)
        go_sleep(GO_MILLISECOND);
    printf("ready %d\n", (int)getpid());
    fflush(stdout);
    go_chan(char) end = go_make_chan(char, 1);
    if (argc > 1)
        go_sleep(atoi(argv[1]) * GO_SECOND);
    else
        await_end(end);
    return 0;
}
