/* The rows of the race bench, in C: built plain and under each race detector, by each compiler. USE_GORT takes gort's goroutines, mutexes and
 * channels, otherwise POSIX threads are used. bench_race.go is the same in Go: keep the two in step. For each row named on the command line it
 * prints "row value unit", and "row_peak value MiB", the most memory the process ever had resident: so one row an invocation.
 * docs/benchmarks.md says what each row is.
 *
 * Kernels run in a goroutine or thread that is not the first, so that no detector can take the program for a sequential one. */
#define _GNU_SOURCE
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef USE_GORT
#include <gort.h>
#endif

#define NOINLINE __attribute__((noinline))

static double scale = 1;

static long scaled(long n)
{
    long small = (long)((double)n * scale);
    return small < 4 ? 4 : small;
}

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000L + t.tv_nsec;
}

static void print_ns(const char *row, int64_t ns, int64_t n)
{
    printf("%s %.3f ns\n", row, (double)ns / (double)n);
}

/* What the optimizer must believe to be used. */
static volatile long keep;
/* Nor may it take one pass over memory for another. */
#define NEW_PASS() __asm__ volatile("" : : : "memory")

/* ---- plain accesses: one goroutine ---- */

enum { WORDS = 64 * 1024 };

static NOINLINE long sum_of(const long *a, long n)
{
    long s = 0;
    NEW_PASS();
    for (long i = 0; i < n; i++)
        s += a[i];
    return s;
}

static void sum(void)
{
    long passes = scaled(1000), *a = calloc(WORDS, sizeof *a);
    int64_t t = now();
    for (long p = 0; p < passes; p++)
        keep = sum_of(a, WORDS);
    print_ns("sum", now() - t, passes * WORDS);
    free(a);
}

static NOINLINE void write_to(long *a, long n, long value)
{
    NEW_PASS();
    for (long i = 0; i < n; i++)
        a[i] = i ^ value;
}

static void write_words(void)
{
    long passes = scaled(1000), *a = calloc(WORDS, sizeof *a);
    int64_t t = now();
    for (long p = 0; p < passes; p++)
        write_to(a, WORDS, p);
    keep = a[7];
    print_ns("write", now() - t, passes * WORDS);
    free(a);
}

static uint64_t mixed(uint64_t *state)
{
    uint64_t x = *state;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return *state = x;
}

static NOINLINE void random_words(long *a, uint64_t mask, long n)
{
    uint64_t s = 88172645463325252u;
    for (long i = 0; i < n; i++)
        a[mixed(&s) & mask]++;
}

static void random_rmw(void)
{
    long words = 8 << 20, n = scaled(20000000), *a = calloc((size_t)words, sizeof *a);
    int64_t t = now();
    random_words(a, (uint64_t)words - 1, n);
    print_ns("random", now() - t, n);
    keep = a[7];
    free(a);
}

struct cell {
    uint64_t key, count;
};

static NOINLINE struct cell *cell_of(struct cell *table, uint64_t mask, uint64_t key)
{
    uint64_t i = (key * 0x9e3779b97f4a7c15u >> 32) & mask;
    while (table[i].key != key && table[i].key != 0)
        i = (i + 1) & mask;
    return &table[i];
}

static void hash(void)
{
    uint64_t mask = (1 << 20) - 1, s = 88172645463325252u;
    long n = scaled(8000000);
    struct cell *table = calloc(mask + 1, sizeof *table);
    int64_t t = now();
    for (long i = 0; i < n; i++) {
        uint64_t key = mixed(&s) % ((mask + 1) / 2) + 1;
        struct cell *c = cell_of(table, mask, key);
        c->key = key;
        c->count++;
    }
    print_ns("hash", now() - t, n);
    free(table);
}

static NOINLINE void multiply(const double *a, const double *b, double *c, long n)
{
    for (long i = 0; i < n; i++)
        for (long j = 0; j < n; j++) {
            double s = 0;
            for (long k = 0; k < n; k++)
                s += a[i * n + k] * b[k * n + j];
            c[i * n + j] = s;
        }
}

static void matrix(void)
{
    long n = scale < 1 ? (long)(300 * scale) + 4 : 300;
    size_t bytes = (size_t)(n * n) * sizeof(double);
    double *a = malloc(bytes), *b = malloc(bytes), *c = malloc(bytes);
    for (long i = 0; i < n * n; i++) {
        a[i] = (double)i;
        b[i] = (double)-i;
    }
    int64_t t = now();
    multiply(a, b, c, n);
    print_ns("matrix", now() - t, n * n * n);
    keep = (long)c[7];
    free(a);
    free(b);
    free(c);
}

/* Words of all sizes in records, passed to functions: what programs mostly do. */
struct record {
    int id;
    short kind;
    char flag, letter;
    struct record *next;
    double weight;
    char name[8];
};

static NOINLINE double weigh(struct record *r, int kind)
{
    if (r->kind != kind)
        return 0;
    r->flag = r->letter > 'm';
    r->weight += r->flag ? r->id : -1;
    r->name[r->id & 7] = r->letter;
    return r->weight;
}

static void records(void)
{
    enum { N = 10000 };
    long passes = scaled(300);
    struct record *all = calloc(N, sizeof *all);
    for (int i = 0; i < N; i++) {
        all[i].id = i;
        all[i].kind = (short)(i % 3);
        all[i].letter = (char)('a' + i % 26);
        all[i].next = &all[(i + 1) % N];
    }
    double total = 0;
    int64_t t = now();
    for (long p = 0; p < passes; p++) {
        struct record *r = all;
        for (int i = 0; i < N; i++, r = r->next)
            total += weigh(r, (int)(p % 3));
    }
    print_ns("records", now() - t, passes * N);
    keep = (long)total;
    free(all);
}

static void copy(void)
{
    enum { BLOCKS = 512 };
    static volatile size_t block = 4096;   /* not known to the compiler: a call of memcpy */
    size_t n = block;
    long passes = scaled(200);
    char *from = calloc(BLOCKS, n), *to = calloc(BLOCKS, n);
    int64_t t = now();
    for (long p = 0; p < passes; p++)
        for (size_t i = 0; i < BLOCKS; i++)
            memcpy(to + i * n, from + (BLOCKS - 1 - i) * n, n);
    print_ns("copy", now() - t, passes * BLOCKS);
    keep = to[77];
    free(from);
    free(to);
}

/* ---- goroutines or threads ---- */

#ifdef USE_GORT
typedef go_mutex mutex;
static void lock(mutex *m) { go_mutex_lock(m); }
static void unlock(mutex *m) { go_mutex_unlock(m); }
struct group {
    go_waitgroup wg;
};
static void call(void (*fn)(void *), void *arg, struct group *g)
{
    fn(arg);
    go_waitgroup_done(&g->wg);
}
static void group_init(struct group *g, int n)
{
    g->wg = (go_waitgroup)GO_WAITGROUP_INIT;
    go_waitgroup_add(&g->wg, n);
}
static bool group_go(struct group *g, void (*fn)(void *), void *arg)
{
    go(call, fn, arg, g);
    return true;
}
static void group_wait(struct group *g) { go_waitgroup_wait(&g->wg); }
static void group_free(struct group *g) { (void)g; }
#else
typedef pthread_mutex_t mutex;
static void lock(mutex *m) { pthread_mutex_lock(m); }
static void unlock(mutex *m) { pthread_mutex_unlock(m); }
struct call {
    void (*fn)(void *);
    void *arg;
    pthread_t thread;
};
struct group {
    int n, started;
    struct call *call;
};
static void *thread_main(void *p)
{
    struct call *c = p;
    c->fn(c->arg);
    return NULL;
}
static void group_init(struct group *g, int n)
{
    *g = (struct group){.n = n, .call = calloc((size_t)n, sizeof *g->call)};
}
static bool group_go(struct group *g, void (*fn)(void *), void *arg)
{
    struct call *c = &g->call[g->started];
    c->fn = fn;
    c->arg = arg;
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 256 * 1024);   /* as gort's */
    bool ok = pthread_create(&c->thread, &attr, thread_main, c) == 0;
    pthread_attr_destroy(&attr);
    g->started += ok;
    return ok;
}
static void group_wait(struct group *g)
{
    for (int i = 0; i < g->started; i++)
        pthread_join(g->call[i].thread, NULL);
}
static void group_free(struct group *g) { free(g->call); }
#endif

/* Each epoch, that is between two releases, writes and reads words that it has touched in other epochs before. */
static void epochs(void)
{
    enum { N = 4096 };
    static mutex m;
    long passes = scaled(4000), *a = calloc(N, sizeof *a), s = 0;
    int64_t t = now();
    for (long p = 0; p < passes; p++) {
        write_to(a, N, p);
        lock(&m);
        unlock(&m);
        s += sum_of(a, N);
        lock(&m);
        unlock(&m);
    }
    print_ns("epochs", now() - t, passes * 2 * N);
    keep = s;
    free(a);
}

/* Reads of what another wrote, by each in turn: the array is handed from goroutine to goroutine. */
struct hand {
    long *a, n;
    long total;
};

static void hand_reader(void *p)
{
    struct hand *h = p;
    h->total += sum_of(h->a, h->n);
}

static void handed(void)
{
    long rounds = scaled(200);
    struct hand h = {calloc(WORDS, sizeof(long)), WORDS, 0};
    int64_t t = now();
    for (long r = 0; r < rounds; r++) {
        struct group g;
        group_init(&g, 1);
        write_to(h.a, h.n, r);
        group_go(&g, hand_reader, &h);
        group_wait(&g);
        group_free(&g);
    }
    print_ns("handed", now() - t, rounds * 2 * WORDS);
    keep = h.total;
    free(h.a);
}

struct counting {
    mutex m;
    long counter, each;
    atomic_long atomic;
};

static void lock_and_count(void *p)
{
    struct counting *c = p;
    for (long i = 0; i < c->each; i++) {
        lock(&c->m);
        c->counter++;
        unlock(&c->m);
    }
}

static void add_atomically(void *p)
{
    struct counting *c = p;
    for (long i = 0; i < c->each; i++)
        atomic_fetch_add(&c->atomic, 1);
}

static void count(const char *row, int n, long total, void (*fn)(void *))
{
    struct counting *c = calloc(1, sizeof *c);
    c->each = scaled(total) / n;
    struct group g;
    group_init(&g, n);
    int64_t t = now();
    for (int i = 0; i < n; i++)
        group_go(&g, fn, c);
    group_wait(&g);
    print_ns(row, now() - t, c->each * n);
    group_free(&g);
    free(c);
}

static void mutex1(void) { count("mutex1", 1, 3000000, lock_and_count); }
static void mutex2(void) { count("mutex2", 2, 2000000, lock_and_count); }
static void mutex8(void) { count("mutex8", 8, 2000000, lock_and_count); }
static void atomic1(void) { count("atomic1", 1, 5000000, add_atomically); }
static void atomic2(void) { count("atomic2", 2, 5000000, add_atomically); }

#ifdef USE_GORT
/* POSIX threads and mutexes under gort's detector; the other detectors' mutex rows are the same. */
struct pcounting {
    pthread_mutex_t m;
    long counter, each;
};

static void *plock_and_count(void *p)
{
    struct pcounting *c = p;
    for (long i = 0; i < c->each; i++) {
        pthread_mutex_lock(&c->m);
        c->counter++;
        pthread_mutex_unlock(&c->m);
    }
    return NULL;
}

static void pcount(const char *row, int n, long total)
{
    struct pcounting *c = calloc(1, sizeof *c);
    pthread_t thread[8];
    c->each = scaled(total) / n;
    int64_t t = now();
    for (int i = 0; i < n; i++)
        pthread_create(&thread[i], NULL, plock_and_count, c);
    for (int i = 0; i < n; i++)
        pthread_join(thread[i], NULL);
    print_ns(row, now() - t, c->each * n);
    free(c);
}
static void pmutex1(void) { pcount("pmutex1", 1, 3000000); }
static void pmutex2(void) { pcount("pmutex2", 2, 2000000); }
static void pmutex8(void) { pcount("pmutex8", 8, 2000000); }

static void pong(go_recv_chan(int) in, go_send_chan(int) out)
{
    int v;
    while (go_recv(in, &v))
        go_send(out, v);
    go_close(out);
}

static void pingpong(void)
{
    int n = (int)scaled(300000);
    go_chan(int) a = go_make_chan(int, 0), b = go_make_chan(int, 0);
    go(pong, a, b);
    int64_t t = now();
    for (int i = 0; i < n; i++) {
        int v;
        go_send(a, i);
        go_recv(b, &v);
    }
    print_ns("pingpong", now() - t, n);
    go_close(a);
    while (go_recv(b, NULL)) {
    }
    go_chan_free(a);
    go_chan_free(b);
}

static void feed(go_send_chan(int) c, int n)
{
    for (int i = 0; i < n; i++)
        go_send(c, i);
}

static void pipe_row(void)
{
    int n = (int)scaled(1000000), v, total = 0;
    go_chan(int) c = go_make_chan(int, 128);
    int64_t t = now();
    go(feed, c, n);
    for (int i = 0; i < n; i++) {
        go_recv(c, &v);
        total += v;
    }
    print_ns("pipe", now() - t, n);
    keep = total;
    go_chan_free(c);
}
#else
static void pmutex1(void) { count("pmutex1", 1, 3000000, lock_and_count); }
static void pmutex2(void) { count("pmutex2", 2, 2000000, lock_and_count); }
static void pmutex8(void) { count("pmutex8", 8, 2000000, lock_and_count); }

static sem_t ping, ponged;

static void ponger(void *n)
{
    for (long i = 0; i < *(long *)n; i++) {
        sem_wait(&ping);
        sem_post(&ponged);
    }
}

static void pingpong(void)
{
    long n = scaled(100000);
    sem_init(&ping, 0, 0);
    sem_init(&ponged, 0, 0);
    struct group g;
    group_init(&g, 1);
    int64_t t = now();
    group_go(&g, ponger, &n);
    for (long i = 0; i < n; i++) {
        sem_post(&ping);
        sem_wait(&ponged);
    }
    group_wait(&g);
    print_ns("pingpong", now() - t, n);
    group_free(&g);
}

static void pipe_row(void)
{
    printf("pipe n/a POSIX threads have no channels\n");
}
#endif

static void nothing(void *p)
{
    (void)p;
}

/* POSIX: each thread is joined before the next is started; as many at once would be another row. */
static void spawn(void)
{
#ifdef USE_GORT
    int n = (int)scaled(300000), bundle = n;
#else
    int n = (int)scaled(20000), bundle = 1;
#endif
    int64_t t = now();
    for (int done = 0; done < n; done += bundle) {
        struct group g;
        group_init(&g, bundle);
        for (int i = 0; i < bundle; i++)
            group_go(&g, nothing, NULL);
        group_wait(&g);
        group_free(&g);
    }
    print_ns("spawn", now() - t, n);
}

/* ---- n alive at once: each passes one common mutex section, writes words of its own, and stays until all have come so far ---- */

struct crowd {
    mutex m;
    long arrived, n, *own;
#ifdef USE_GORT
    go_chan(int) all, gate;
#else
    pthread_cond_t cond;
    bool open;
#endif
};

static void crowd_member(void *p)
{
    struct crowd *c = p;
    lock(&c->m);
    long me = c->arrived++;
    for (int i = 0; i < 8; i++)
        c->own[me * 8 + i] = me;
#ifdef USE_GORT
    bool last = me + 1 == c->n;
    unlock(&c->m);
    if (last)
        go_send(c->all, 1);
    go_recv(c->gate, NULL);
#else
    if (me + 1 == c->n)
        pthread_cond_broadcast(&c->cond);
    while (!c->open)
        pthread_cond_wait(&c->cond, &c->m);
    unlock(&c->m);
#endif
    c->own[me * 8]++;
}

static void crowd_of(const char *row, long n)
{
    n = scaled(n);
#ifndef USE_GORT
    if (n > 8000) {
        printf("%s n/a ThreadSanitizer ends at 8,128 threads\n", row);
        return;
    }
#endif
    struct crowd *c = calloc(1, sizeof *c);
    struct group g;
    c->n = n;
    c->own = calloc((size_t)n * 8, sizeof *c->own);
    group_init(&g, (int)n);
    int64_t t = now();
#ifdef USE_GORT
    c->all = go_make_chan(int, 1);
    c->gate = go_make_chan(int, 0);
    for (long i = 0; i < n; i++)
        group_go(&g, crowd_member, c);
    go_recv(c->all, NULL);
    go_close(c->gate);
#else
    pthread_cond_init(&c->cond, NULL);
    for (long i = 0; i < n; i++)
        if (!group_go(&g, crowd_member, c)) {
            fprintf(stderr, "bench_race: can't start thread %ld\n", i);
            exit(1);
        }
    lock(&c->m);
    while (c->arrived < n)
        pthread_cond_wait(&c->cond, &c->m);
    c->open = true;
    pthread_cond_broadcast(&c->cond);
    unlock(&c->m);
#endif
    group_wait(&g);
    printf("%s %.2f ms\n", row, (double)(now() - t) / 1e6);
    group_free(&g);
#ifdef USE_GORT
    go_chan_free(c->all);
    go_chan_free(c->gate);
#endif
    free(c->own);
    free(c);
}

static void scale1k(void) { crowd_of("scale1k", 1000); }
static void scale10k(void) { crowd_of("scale10k", 10000); }
static void scale100k(void) { crowd_of("scale100k", 100000); }
static void scale300k(void) { crowd_of("scale300k", 300000); }

/* ---- the program ---- */

static const struct row {
    const char *name;
    void (*run)(void);
} rows[] = {
    {"sum", sum}, {"write", write_words}, {"random", random_rmw}, {"hash", hash}, {"matrix", matrix}, {"records", records}, {"copy", copy},
    {"epochs", epochs}, {"handed", handed}, {"mutex1", mutex1}, {"mutex2", mutex2}, {"mutex8", mutex8}, {"pmutex1", pmutex1},
    {"pmutex2", pmutex2}, {"pmutex8", pmutex8}, {"atomic1", atomic1}, {"atomic2", atomic2}, {"pingpong", pingpong}, {"pipe", pipe_row},
    {"spawn", spawn}, {"scale1k", scale1k}, {"scale10k", scale10k}, {"scale100k", scale100k}, {"scale300k", scale300k},
};
enum { ROWS = sizeof rows / sizeof rows[0] };

static void print_peak(const char *row)
{
    char line[256];
    long kib = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, "VmHWM:", 6) == 0)
            kib = strtol(line + 6, NULL, 10);
    if (f)
        fclose(f);
    printf("%s_peak %.1f MiB\n", row, (double)kib / 1024);
}

static void run(void *p)
{
    const struct row *r = p;
    r->run();
}

static int usage(void)
{
    fprintf(stderr, "usage: bench_race [--scale F] [ROW ...]   F: sizes times F, over 0 and at most 1\nrows:");
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
            fprintf(stderr, "bench_race: --scale needs a number over 0 and at most 1\n");
            return usage();
        }
        k = 3;
    }
    bool wanted[ROWS];
    for (int i = 0; i < ROWS; i++)
        wanted[i] = k == argc;
    for (; k < argc; k++) {
        int i = 0;
        while (i < ROWS && strcmp(argv[k], rows[i].name) != 0)
            i++;
        if (i == ROWS) {
            fprintf(stderr, "bench_race: no row '%s'\n", argv[k]);
            return usage();
        }
        wanted[i] = true;
    }
    for (int i = 0; i < ROWS; i++) {
        if (!wanted[i])
            continue;
        struct group g;
        group_init(&g, 1);
        if (!group_go(&g, run, (void *)(uintptr_t)&rows[i]))
            return 1;
        group_wait(&g);
        group_free(&g);
        print_peak(rows[i].name);
        fflush(stdout);
    }
    return 0;
}
