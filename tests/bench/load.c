/* The load generator of the echo rows: opens CONNECTIONS connections to ADDRESS, each with one outstanding message of 64 bytes, and
 * checks every byte that comes back. Plain threads and epoll, nothing of gort: the servers that are compared meet the very same client.
 *
 * All connections are open before the first message leaves. An uncounted warm-up, then --seconds of measuring, then every connection's last
 * answer is waited for. Rate: answers that arrived while it measured. Latency: of every answer from then on, the last ones included; a
 * server that starves some connections can't hide them by not answering. Latencies are kept to 0.4 % in a table of fixed size.
 *
 * Prints "rate R req/s", "p50 T us", "p99 T us", "errors N errors". Status 0; 1: an error or a wrong answer (the first one is
 * described); 2: wrong use; 77: this many connections are not permitted here, so that there is nothing to measure. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    MESSAGE = 64,
    EVENTS = 256,
    SUB = 256,               /* steps of the latency table per power of two */
    CONNECT_S = 10,          /* patience with one connection */
    DRAIN_S = 10,            /* patience with the last answers */
    SPARE_FILES = 32,
    STATUS_SKIP = 77,
};

struct conn {
    int fd;
    bool waiting;            /* for an answer */
    uint32_t have;           /* bytes of the answer so far */
    uint64_t seq;
    int64_t sent;
    unsigned char out[MESSAGE];
};

struct worker {
    pthread_t thread;
    int epoll;
    struct conn *conns;
    int n;
    uint64_t answers;        /* while measuring */
    uint64_t *latency;       /* counts; see slot() */
};

enum { SLOTS = 64 * SUB };

static int64_t warm_ns = 500000000, measure_ns = 3000000000;
static int64_t begin_ns, end_ns, give_up_ns;   /* instants; set before the workers start */
static atomic_ulong errors;

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Counts an error and describes the first. */
static void __attribute__((format(printf, 1, 2))) error(const char *fmt, ...)
{
    if (atomic_fetch_add(&errors, 1) != 0)
        return;
    va_list args;
    va_start(args, fmt);
    fprintf(stderr, "load: ");
    vfprintf(stderr, fmt, args);
    fprintf(stderr, "\n");
    va_end(args);
}

/* ---- latencies: a table whose steps grow with the value ---- */

static int slot(int64_t ns)
{
    uint64_t v = ns < 1 ? 1 : (uint64_t)ns;
    int log = 63 - __builtin_clzll(v);
    int sub = log <= 8 ? (int)(v << (8 - log)) & (SUB - 1) : (int)(v >> (log - 8)) & (SUB - 1);
    return log * SUB + sub;
}

static double slot_value(int i)
{
    return (double)(1ull << (i / SUB)) * (1 + (i % SUB + 0.5) / SUB);
}

static double percentile(const uint64_t *counts, uint64_t total, int percent)
{
    uint64_t before = 0, rank = total * (uint64_t)percent / 100;
    for (int i = 0; i < SLOTS; i++)
        if ((before += counts[i]) > rank)
            return slot_value(i);
    return 0;
}

/* ---- one connection ---- */

/* Bytes that depend on the connection and on the message, so that an answer meant for another is found out. */
static void fill(struct conn *c, unsigned char *to)
{
    uint64_t x = ((uint64_t)c->fd << 40) + c->seq;
    for (int i = 0; i < MESSAGE / 8; i++) {
        x += 0x9e3779b97f4a7c15u;
        uint64_t z = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        z ^= z >> 31;
        memcpy(to + 8 * i, &z, 8);
    }
}

static void drop(struct worker *w, struct conn *c)
{
    epoll_ctl(w->epoll, EPOLL_CTL_DEL, c->fd, NULL);
    close(c->fd);
    c->fd = -1;
    c->waiting = false;
}

static void send_next(struct worker *w, struct conn *c)
{
    c->seq++;
    c->have = 0;
    fill(c, c->out);
    c->sent = now();
    ssize_t n = send(c->fd, c->out, MESSAGE, MSG_NOSIGNAL);
    if (n != MESSAGE) {   /* the connection holds nothing else, so there is room */
        error("can't send: %s", n < 0 ? strerror(errno) : "a part only was taken");
        drop(w, c);
        return;
    }
    c->waiting = true;
}

static void receive(struct worker *w, struct conn *c)
{
    unsigned char in[MESSAGE + 1];
    ssize_t n = recv(c->fd, in, sizeof in - c->have, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        error("can't receive: %s", n == 0 ? "the server closed the connection" : strerror(errno));
        drop(w, c);
        return;
    }
    if (!c->waiting || c->have + (size_t)n > MESSAGE) {
        error("an answer is longer than its message");
        drop(w, c);
        return;
    }
    if (memcmp(in, c->out + c->have, (size_t)n) != 0) {
        error("wrong answer: message %llu differs within bytes %u to %u", (unsigned long long)c->seq, c->have, c->have + (unsigned)n - 1);
        drop(w, c);
        return;
    }
    c->have += (uint32_t)n;
    if (c->have < MESSAGE)
        return;
    c->waiting = false;
    int64_t t = now();
    if (t >= begin_ns) {
        w->latency[slot(t - c->sent)]++;
        w->answers += t < end_ns;
    }
    if (t < end_ns)
        send_next(w, c);
}

/* ---- a worker: its share of the connections ---- */

static void *work(void *arg)
{
    struct worker *w = arg;
    struct epoll_event events[EVENTS];
    for (int i = 0; i < w->n; i++)
        send_next(w, &w->conns[i]);
    for (;;) {
        int64_t t = now();
        if (t >= end_ns) {
            int left = 0;
            for (int i = 0; i < w->n; i++)
                left += w->conns[i].waiting;
            if (left == 0)
                break;
            if (t >= give_up_ns) {
                error("%d of %d connections got no answer within %d s", left, w->n, DRAIN_S);
                break;
            }
        }
        int n = epoll_wait(w->epoll, events, EVENTS, t >= end_ns ? 100 : (int)((end_ns - t) / 1000000) + 1);
        for (int i = 0; i < n; i++) {
            struct conn *c = events[i].data.ptr;
            if (c->fd >= 0)
                receive(w, c);
        }
    }
    return NULL;
}

static bool open_connection(struct worker *w, struct conn *c, const struct sockaddr_in *to)
{
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        return false;
    struct timeval patience = {.tv_sec = CONNECT_S};   /* bounds connect */
    setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    int one = 1;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
    return connect(c->fd, (const struct sockaddr *)to, sizeof *to) == 0 && fcntl(c->fd, F_SETFL, O_NONBLOCK) == 0 &&
           epoll_ctl(w->epoll, EPOLL_CTL_ADD, c->fd, &e) == 0;
}

/* ---- the command line ---- */

static const char usage_text[] =
    "usage: load [OPTION...] HOST:PORT CONNECTIONS\n"
    "  HOST             an IPv4 address, such as 127.0.0.1\n"
    "  --seconds S      measure for S seconds (3)\n"
    "  --warmup S       after S seconds that do not count (0.5)\n"
    "  --threads N      use N threads (half the processors)\n";

static _Noreturn void __attribute__((format(printf, 1, 2))) misuse(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fprintf(stderr, "load: ");
    vfprintf(stderr, fmt, args);
    fprintf(stderr, "\n%s", usage_text);
    va_end(args);
    exit(2);
}

static double number(const char *what, const char *text, double min, double max)
{
    char *end;
    errno = 0;
    double v = strtod(text, &end);
    if (end == text || *end || errno || !(v >= min && v <= max))
        misuse("%s: '%s' is not a number from %g to %g", what, text, min, max);
    return v;
}

static int whole(const char *what, const char *text, int min, int max)
{
    char *end;
    errno = 0;
    long v = strtol(text, &end, 10);
    if (end == text || *end || errno || v < min || v > max)
        misuse("%s: '%s' is not a whole number from %d to %d", what, text, min, max);
    return (int)v;
}

static struct sockaddr_in address(const char *text)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    char host[64];
    const char *colon = strrchr(text, ':');
    if (!colon || (size_t)(colon - text) >= sizeof host)
        misuse("'%s' is not HOST:PORT", text);
    memcpy(host, text, (size_t)(colon - text));
    host[colon - text] = 0;
    if (inet_pton(AF_INET, host, &a.sin_addr) != 1)
        misuse("'%s' is not an IPv4 address", host);
    a.sin_port = htons((uint16_t)whole("port", colon + 1, 1, 65535));
    return a;
}

static void permit_files(int n)
{
    struct rlimit r;
    rlim_t need = (rlim_t)n + SPARE_FILES;
    if (getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur >= need)
        return;
    if (r.rlim_max != RLIM_INFINITY && r.rlim_max < need) {
        fprintf(stderr, "load: %d connections need %llu open files, the limit is %llu (ulimit -Hn)\n", n, (unsigned long long)need,
                (unsigned long long)r.rlim_max);
        exit(STATUS_SKIP);
    }
    r.rlim_cur = need;
    if (setrlimit(RLIMIT_NOFILE, &r) != 0) {
        fprintf(stderr, "load: can't raise the limit of open files to %llu: %s\n", (unsigned long long)need, strerror(errno));
        exit(STATUS_SKIP);
    }
}

static void *zeroed(size_t n, size_t size)
{
    void *p = calloc(n, size);
    if (!p) {
        fprintf(stderr, "load: no memory\n");
        exit(1);
    }
    return p;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"seconds", required_argument, NULL, 's'}, {"warmup", required_argument, NULL, 'w'}, {"threads", required_argument, NULL, 't'},
        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0},
    };
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    int threads = cpus >= 4 ? (int)(cpus / 2) : 1, o;
    while ((o = getopt_long(argc, argv, "", options, NULL)) != -1)
        switch (o) {
        case 's': measure_ns = (int64_t)(number("--seconds", optarg, 0.01, 3600) * 1e9); break;
        case 'w': warm_ns = (int64_t)(number("--warmup", optarg, 0, 3600) * 1e9); break;
        case 't': threads = whole("--threads", optarg, 1, 1024); break;
        case 'h': fputs(usage_text, stdout); return 0;
        default: fputs(usage_text, stderr); return 2;
        }
    if (argc - optind != 2)
        misuse("%s", argc - optind < 2 ? "HOST:PORT and CONNECTIONS are missing" : "more than HOST:PORT and CONNECTIONS");
    struct sockaddr_in to = address(argv[optind]);
    int n = whole("CONNECTIONS", argv[optind + 1], 1, 1000000);
    if (threads > n)
        threads = n;
    signal(SIGPIPE, SIG_IGN);
    permit_files(n);

    struct conn *conns = zeroed((size_t)n, sizeof *conns);
    struct worker *workers = zeroed((size_t)threads, sizeof *workers);
    int given = 0;
    for (int i = 0; i < threads; i++) {
        struct worker *w = &workers[i];
        w->conns = conns + given;
        w->n = (n - given) / (threads - i);
        given += w->n;
        w->latency = zeroed(SLOTS, sizeof *w->latency);
        w->epoll = epoll_create1(EPOLL_CLOEXEC);
        if (w->epoll < 0) {
            fprintf(stderr, "load: epoll: %s\n", strerror(errno));
            return 1;
        }
        for (int k = 0; k < w->n; k++)
            if (!open_connection(w, &w->conns[k], &to)) {
                fprintf(stderr, "load: connection %d of %d to %s: %s\n", (int)(w->conns - conns) + k + 1, n, argv[optind],
                        errno == EINPROGRESS || errno == EAGAIN ? "timed out" : strerror(errno));
                return 1;
            }
    }
    begin_ns = now() + warm_ns;
    end_ns = begin_ns + measure_ns;
    give_up_ns = end_ns + (int64_t)DRAIN_S * 1000000000;
    for (int i = 0; i < threads; i++) {
        int err = pthread_create(&workers[i].thread, NULL, work, &workers[i]);
        if (err) {
            fprintf(stderr, "load: can't start thread %d of %d: %s\n", i + 1, threads, strerror(err));
            return 1;
        }
    }
    uint64_t answers = 0, total = 0, *latency = zeroed(SLOTS, sizeof *latency);
    for (int i = 0; i < threads; i++) {
        pthread_join(workers[i].thread, NULL);
        answers += workers[i].answers;
        for (int k = 0; k < SLOTS; k++) {
            latency[k] += workers[i].latency[k];
            total += workers[i].latency[k];
        }
    }
    if (answers == 0)
        error("no answer at all while it measured");
    printf("rate %.1f req/s\np50 %.1f us\np99 %.1f us\nerrors %lu errors\n", (double)answers / ((double)measure_ns / 1e9),
           percentile(latency, total, 50) / 1e3, percentile(latency, total, 99) / 1e3, atomic_load(&errors));
    return atomic_load(&errors) ? 1 : 0;
}
