/* The rows of the benchmark table, in gort. Prints "row value unit" for each row named on the command line (none: all).
 * bench_go.go is the same program in Go: keep the two in step. Values are nanoseconds per operation unless the unit says otherwise. */
#include <gort.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static go_waitgroup done;

static void print_ns(const char *row, int64_t ns, int64_t n)
{
    printf("%s %.2f ns\n", row, (double)ns / (double)n);
    fflush(stdout);
}

/* ---- spawn + exit: one goroutine starts n others that end at once ---- */

static void nothing(go_waitgroup *wg)
{
    go_waitgroup_done(wg);
}

static void spawn(void)
{
    enum { N = 1000000 };
    go_waitgroup wg = GO_WAITGROUP_INIT;
    int64_t t = go_now();
    go_waitgroup_add(&wg, N);
    for (int i = 0; i < N; i++)
        go(nothing, &wg);
    go_waitgroup_wait(&wg);
    print_ns("spawn", go_now() - t, N);
}

/* ---- yield: two goroutines, time per yield ---- */

static void yielder(int n, go_waitgroup *wg)
{
    for (int i = 0; i < n; i++)
        go_yield();
    go_waitgroup_done(wg);
}

static void yield(void)
{
    enum { N = 1000000 };
    go_waitgroup wg = GO_WAITGROUP_INIT;
    int64_t t = go_now();
    go_waitgroup_add(&wg, 2);
    go(yielder, N, &wg);
    go(yielder, N, &wg);
    go_waitgroup_wait(&wg);
    print_ns("yield", go_now() - t, 2 * N);
}

/* ---- unbuffered ping-pong: time per round trip ---- */

static void pong(go_recv_chan(int) in, go_send_chan(int) out)
{
    int v;
    while (go_recv(in, &v))
        go_send(out, v);
    go_close(out);
}

static void pingpong(void)
{
    enum { N = 500000 };
    go_chan(int) a = go_make_chan(int, 0), b = go_make_chan(int, 0);
    go(pong, a, b);
    int64_t t = go_now();
    for (int i = 0; i < N; i++) {
        int v;
        go_send(a, i);
        go_recv(b, &v);
    }
    print_ns("pingpong", go_now() - t, N);
    go_close(a);
    while (go_recv(b, NULL)) {
    }
    go_chan_free(a);
    go_chan_free(b);
}

/* ---- buffered pipe, time per element ---- */

static void pipe_producer(go_send_chan(int) c, int n, go_waitgroup *wg)
{
    for (int i = 0; i < n; i++)
        go_send(c, i);
    go_waitgroup_done(wg);
}

static void pipe_consumer(go_recv_chan(int) c, int n, go_waitgroup *wg)
{
    int v;
    for (int i = 0; i < n; i++)
        go_recv(c, &v);
    go_waitgroup_done(wg);
}

static void pipe_n(const char *row, int pairs, int n)
{
    go_chan(int) c = go_make_chan(int, 128);
    go_waitgroup wg = GO_WAITGROUP_INIT;
    int64_t t = go_now();
    go_waitgroup_add(&wg, 2 * pairs);
    for (int i = 0; i < pairs; i++) {
        go(pipe_producer, c, n / pairs, &wg);
        go(pipe_consumer, c, n / pairs, &wg);
    }
    go_waitgroup_wait(&wg);
    print_ns(row, go_now() - t, n);
    go_chan_free(c);
}

static void pipe1(void)
{
    pipe_n("pipe1x1", 1, 2000000);
}

static void pipe4(void)
{
    pipe_n("pipe4x4", 4, 2000000);
}

/* ---- select of 4, one ready, and the send that makes it so ---- */

static void select4(void)
{
    enum { N = 1000000 };
    go_chan(int) c[4];
    for (int i = 0; i < 4; i++)
        c[i] = go_make_chan(int, 1);
    int v;
    int64_t t = go_now();
    for (int i = 0; i < N; i++) {
        go_send(c[i & 3], i);
        go_select(go_case_recv(c[0], &v), go_case_recv(c[1], &v), go_case_recv(c[2], &v), go_case_recv(c[3], &v));
    }
    print_ns("select4", go_now() - t, N);
    for (int i = 0; i < 4; i++)
        go_chan_free(c[i]);
}

/* ---- mutex: lock + unlock ---- */

static go_mutex mutex;
static int64_t counter;

static void locker(int n, go_waitgroup *wg)
{
    for (int i = 0; i < n; i++) {
        go_mutex_lock(&mutex);
        counter++;
        go_mutex_unlock(&mutex);
    }
    go_waitgroup_done(wg);
}

static void mutex_n(const char *row, int goroutines, int n)
{
    go_waitgroup wg = GO_WAITGROUP_INIT;
    int64_t t = go_now();
    go_waitgroup_add(&wg, goroutines);
    for (int i = 0; i < goroutines; i++)
        go(locker, n / goroutines, &wg);
    go_waitgroup_wait(&wg);
    print_ns(row, go_now() - t, n);
}

static void mutex1(void)
{
    mutex_n("mutex1", 1, 5000000);
}

static void mutex8(void)
{
    mutex_n("mutex8", 8, 5000000);
}

/* ---- n goroutines parked on a channel: time to start and park them all, bytes each ---- */

static int64_t resident(void)
{
    long pages = 0, skip;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f) {
        if (fscanf(f, "%ld %ld", &skip, &pages) != 2)
            pages = 0;
        fclose(f);
    }
    return pages * sysconf(_SC_PAGESIZE);
}

static void parker(go_recv_chan(int) c, _Atomic(int) *n)
{
    ++*n;
    go_recv(c, NULL);
    --*n;
}

static void park_n(const char *row, int n)
{
    static _Atomic(int) parked;
    go_chan(int) c = go_make_chan(int, 0);
    int64_t before = resident(), t = go_now();
    for (int i = 0; i < n; i++)
        go(parker, c, &parked);
    while (parked < n)
        go_yield();
    t = go_now() - t;
    int64_t after = resident();
    printf("%s %.2f ms\n%s_bytes %.0f B\n", row, (double)t / 1e6, row, (double)(after - before) / n);
    fflush(stdout);
    go_close(c);
    while (parked > 0)
        go_yield();
    go_sleep(GO_MILLISECOND);
    go_chan_free(c);
}

static void park100k(void)
{
    park_n("park100k", 100000);
}

static void park1m(void)
{
    park_n("park1m", 1000000);
}

/* ---- 10,000 sleepers of 1 ms, ten times each: lateness ---- */

enum { SLEEPERS = 10000, NAPS = 10 };
static int64_t late[SLEEPERS * NAPS];

static void sleeper(int me, go_waitgroup *wg)
{
    for (int i = 0; i < NAPS; i++) {
        int64_t t = go_now();
        go_sleep(GO_MILLISECOND);
        late[me * NAPS + i] = go_now() - t - GO_MILLISECOND;
    }
    go_waitgroup_done(wg);
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void sleepers(void)
{
    go_waitgroup wg = GO_WAITGROUP_INIT;
    go_waitgroup_add(&wg, SLEEPERS);
    for (int i = 0; i < SLEEPERS; i++)
        go(sleeper, i, &wg);
    go_waitgroup_wait(&wg);
    qsort(late, SLEEPERS * NAPS, sizeof late[0], by_value);
    printf("sleep10k_p50 %.1f us\nsleep10k_p99 %.1f us\n", (double)late[SLEEPERS * NAPS / 2] / 1e3,
           (double)late[SLEEPERS * NAPS / 100 * 99] / 1e3);
}

/* ---- prime sieve: the first n primes by a chain of filters ---- */

static void generate(go_send_chan(int) out)
{
    for (int i = 2;; i++)
        go_send(out, i);
}

static void filter(go_recv_chan(int) in, go_send_chan(int) out, int prime)
{
    int v;
    while (go_recv(in, &v))
        if (v % prime)
            go_send(out, v);
}

static void sieve(void)
{
    enum { N = 600 };
    int64_t t = go_now();
    go_chan(int) c = go_make_chan(int, 0);
    go(generate, c);
    int prime = 0;
    for (int i = 0; i < N; i++) {
        go_recv(c, &prime);
        go_chan(int) next = go_make_chan(int, 0);
        go(filter, c, next, prime);
        c = next;
    }
    printf("sieve %.2f ms\n", (double)(go_now() - t) / 1e6);   /* the chain is left parked */
}

static const struct {
    const char *name;
    void (*run)(void);
} rows[] = {
    {"spawn", spawn},     {"yield", yield},   {"pingpong", pingpong}, {"pipe1x1", pipe1},   {"pipe4x4", pipe4},   {"select4", select4},
    {"mutex1", mutex1},   {"mutex8", mutex8}, {"sleep10k", sleepers}, {"park100k", park100k}, {"park1m", park1m}, {"sieve", sieve},
};

static int argc_;
static char **argv_;

/* In a goroutine: Go's main is one. */
static void run(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool wanted = argc_ == 1;
        for (int k = 1; k < argc_; k++)
            wanted = wanted || strcmp(argv_[k], rows[i].name) == 0;
        if (wanted)
            rows[i].run();
    }
    go_waitgroup_done(&done);
}

int main(int argc, char **argv)
{
    for (int k = 1; k < argc; k++) {
        bool known = false;
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
            known = known || strcmp(argv[k], rows[i].name) == 0;
        if (!known) {
            fprintf(stderr, "bench_gort: no row '%s'\n", argv[k]);
            return 2;
        }
    }
    argc_ = argc;
    argv_ = argv;
    go_waitgroup_add(&done, 1);
    go(run);
    go_waitgroup_wait(&done);
    return 0;
}
