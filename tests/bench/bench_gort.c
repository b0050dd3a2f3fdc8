/* The rows of the benchmark table, in gort. Prints "row value unit" for each row named on the command line (none: all).
 * bench_go.go is the same program in Go, bench_boost.cpp with Boost.Fiber as far as it goes: keep them in step. Sizes, what is timed and
 * what is not are the same in all; nothing is warmed up. docs/benchmarks.md says what each row is. */
#include <gort.h>

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static double scale = 1;

/* n, made smaller by --scale. */
static int scaled(int n)
{
    int small = (int)(n * scale);
    return small < 16 ? 16 : small;
}

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
    int n = scaled(1000000);
    go_waitgroup wg = GO_WAITGROUP_INIT;
    int64_t t = go_now();
    go_waitgroup_add(&wg, n);
    for (int i = 0; i < n; i++)
        go(nothing, &wg);
    go_waitgroup_wait(&wg);
    print_ns("spawn", go_now() - t, n);
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
    int n = scaled(1000000);
    go_waitgroup wg = GO_WAITGROUP_INIT;
    int64_t t = go_now();
    go_waitgroup_add(&wg, 2);
    go(yielder, n, &wg);
    go(yielder, n, &wg);
    go_waitgroup_wait(&wg);
    print_ns("yield", go_now() - t, 2 * (int64_t)n);
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
    int n = scaled(500000);
    go_chan(int) a = go_make_chan(int, 0), b = go_make_chan(int, 0);
    go(pong, a, b);
    int64_t t = go_now();
    for (int i = 0; i < n; i++) {
        int v;
        go_send(a, i);
        go_recv(b, &v);
    }
    print_ns("pingpong", go_now() - t, n);
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
    int each = scaled(n) / pairs;
    go_chan(int) c = go_make_chan(int, 128);
    go_waitgroup wg = GO_WAITGROUP_INIT;
    int64_t t = go_now();
    go_waitgroup_add(&wg, 2 * pairs);
    for (int i = 0; i < pairs; i++) {
        go(pipe_producer, c, each, &wg);
        go(pipe_consumer, c, each, &wg);
    }
    go_waitgroup_wait(&wg);
    print_ns(row, go_now() - t, (int64_t)each * pairs);
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
    int n = scaled(1000000);
    go_chan(int) c[4];
    for (int i = 0; i < 4; i++)
        c[i] = go_make_chan(int, 1);
    int v;
    int64_t t = go_now();
    for (int i = 0; i < n; i++) {
        go_send(c[i & 3], i);
        go_select(go_case_recv(c[0], &v), go_case_recv(c[1], &v), go_case_recv(c[2], &v), go_case_recv(c[3], &v));
    }
    print_ns("select4", go_now() - t, n);
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
    int each = scaled(n) / goroutines;
    go_waitgroup wg = GO_WAITGROUP_INIT;
    int64_t t = go_now();
    go_waitgroup_add(&wg, goroutines);
    for (int i = 0; i < goroutines; i++)
        go(locker, each, &wg);
    go_waitgroup_wait(&wg);
    print_ns(row, go_now() - t, (int64_t)each * goroutines);
}

static void mutex1(void)
{
    mutex_n("mutex1", 1, 5000000);
}

static void mutex8(void)
{
    mutex_n("mutex8", 8, 5000000);
}

/* ---- n goroutines, each of which passes a mutex section and parks on a channel: time to have them all there, bytes each, and time to
 * wake them and have them end ---- */

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

struct park {
    go_mutex mutex;
    int passed, n;
    go_chan(int) all;    /* gets one element when the last has passed the section */
    go_chan(int) gate;   /* they park here until it is closed */
    go_waitgroup ended;
};

static void parker(struct park *p)
{
    go_mutex_lock(&p->mutex);
    bool last = ++p->passed == p->n;
    go_mutex_unlock(&p->mutex);
    if (last)
        go_send(p->all, 1);
    go_recv(p->gate, NULL);
    go_waitgroup_done(&p->ended);
}

static void park_n(const char *row, int n)
{
    struct park p = {.n = scaled(n), .all = go_make_chan(int, 1), .gate = go_make_chan(int, 0)};
    go_waitgroup_add(&p.ended, p.n);
    int64_t before = resident(), t = go_now();
    for (int i = 0; i < p.n; i++)
        go(parker, &p);
    go_recv(p.all, NULL);
    t = go_now() - t;
    int64_t after = resident(), wake = go_now();
    go_close(p.gate);
    go_waitgroup_wait(&p.ended);
    wake = go_now() - wake;
    printf("%s %.2f ms\n%s_bytes %.0f B\n%s_wake %.2f ms\n", row, (double)t / 1e6, row, (double)(after - before) / p.n, row, (double)wake / 1e6);
    fflush(stdout);
    go_chan_free(p.all);
    go_chan_free(p.gate);
}

static void park100k(void)
{
    park_n("park100k", 100000);
}

static void park1m(void)
{
    park_n("park1m", 1000000);
}

/* ---- lateness: percentiles of what was waited beyond what was asked for ---- */

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void print_late(const char *row, int64_t *late, int n)
{
    qsort(late, (size_t)n, sizeof late[0], by_value);
    printf("%s_p50 %.3f us\n%s_p99 %.3f us\n", row, (double)late[n / 2] / 1e3, row, (double)late[(int64_t)n * 99 / 100] / 1e3);
    fflush(stdout);
}

/* Naps of 1 ms. */
static void naps(int64_t *late, int n)
{
    for (int i = 0; i < n; i++) {
        int64_t t = go_now();
        go_sleep(GO_MILLISECOND);
        late[i] = go_now() - t - GO_MILLISECOND;
    }
}

/* ---- 10,000 sleepers, ten naps each ---- */

static void sleeper(int64_t *late, int n, go_waitgroup *wg)
{
    naps(late, n);
    go_waitgroup_done(wg);
}

static void sleepers(void)
{
    enum { NAPS = 10 };
    int n = scaled(10000);
    int64_t *late = calloc((size_t)n * NAPS, sizeof *late);
    if (!late)
        go_panic("no memory for %d sleepers", n);
    go_waitgroup wg = GO_WAITGROUP_INIT;
    go_waitgroup_add(&wg, n);
    for (int i = 0; i < n; i++)
        go(sleeper, late + (size_t)i * NAPS, NAPS, &wg);
    go_waitgroup_wait(&wg);
    print_late("sleep10k", late, n * NAPS);
    free(late);
}

/* ---- a loop that never enters the runtime: how late another goroutine's naps end. 25 loops one after another, eight naps behind each,
 * so the start of a loop and its going on both count. Meant for one P. ---- */

static void looper(_Atomic(int) *stop, go_waitgroup *wg)
{
    while (!atomic_load_explicit(stop, memory_order_relaxed)) {
    }
    go_waitgroup_done(wg);
}

static void loop(void)
{
    enum { NAPS = 8, LOOPS = 25 };
    static int64_t late[LOOPS * NAPS];
    int loops = scale < 1 ? 2 : LOOPS;
    for (int i = 0; i < loops; i++) {
        _Atomic(int) stop = 0;
        go_waitgroup wg = GO_WAITGROUP_INIT;
        go_waitgroup_add(&wg, 1);
        go(looper, &stop, &wg);
        naps(late + i * NAPS, NAPS);
        atomic_store_explicit(&stop, 1, memory_order_relaxed);
        go_waitgroup_wait(&wg);
    }
    print_late("loop", late, loops * NAPS);
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
    int n = scaled(600);
    int64_t t = go_now();
    go_chan(int) c = go_make_chan(int, 0);
    go(generate, c);
    int prime = 0;
    for (int i = 0; i < n; i++) {
        go_recv(c, &prime);
        go_chan(int) next = go_make_chan(int, 0);
        go(filter, c, next, prime);
        c = next;
    }
    printf("sieve %.2f ms\n", (double)(go_now() - t) / 1e6);   /* the chain is left behind */
    fflush(stdout);
}

static const struct row {
    const char *name;
    void (*run)(void);
} rows[] = {
    {"spawn", spawn},       {"yield", yield},       {"pingpong", pingpong}, {"pipe1x1", pipe1},   {"pipe4x4", pipe4},
    {"select4", select4},   {"mutex1", mutex1},     {"mutex8", mutex8},     {"sleep10k", sleepers}, {"loop", loop},
    {"park100k", park100k}, {"park1m", park1m},     {"sieve", sieve},
};
enum { ROWS = sizeof rows / sizeof rows[0] };

static bool wanted[ROWS];

/* In a goroutine: Go's main is one. */
static void run(go_waitgroup *done)
{
    for (int i = 0; i < ROWS; i++)
        if (wanted[i])
            rows[i].run();
    go_waitgroup_done(done);
}

static int usage(void)
{
    fprintf(stderr, "usage: bench_gort [--scale F] [ROW ...]   F: sizes times F, over 0 and at most 1\nrows:");
    for (int i = 0; i < ROWS; i++)
        fprintf(stderr, " %s", rows[i].name);
    fprintf(stderr, "\n");
    return 2;
}

int main(int argc, char **argv)
{
    int k = 1;
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
#ifdef __clang__
        printf("clang %s\n", __clang_version__);
#else
        printf("gcc %s\n", __VERSION__);
#endif
        return 0;
    }
    if (argc > 1 && strcmp(argv[1], "--scale") == 0) {
        char *end = NULL;
        scale = argc > 2 ? strtod(argv[2], &end) : 0;
        if (!end || *end || !(scale > 0 && scale <= 1)) {
            fprintf(stderr, "bench_gort: --scale needs a number over 0 and at most 1\n");
            return usage();
        }
        k = 3;
    }
    for (int i = 0; i < ROWS; i++)
        wanted[i] = k == argc;
    for (; k < argc; k++) {
        int i = 0;
        while (i < ROWS && strcmp(argv[k], rows[i].name) != 0)
            i++;
        if (i == ROWS) {
            fprintf(stderr, "bench_gort: no row '%s'\n", argv[k]);
            return usage();
        }
        wanted[i] = true;
    }
    go_waitgroup done = GO_WAITGROUP_INIT;
    go_waitgroup_add(&done, 1);
    go(run, &done);
    go_waitgroup_wait(&done);
    return 0;
}
