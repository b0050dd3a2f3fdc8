// The rows of the benchmark table with Boost.Fiber, on one thread, as far as it has them: no select, and no threads to hand over to
// (row loop). Prints "row value unit" for each row named on the command line (none: all), or "row n/a why" if it can't.
// bench_gort.c is the same program in gort: keep the two in step. One difference: a fiber is joined before the next is
// spawned, Boost's best case (the stack is always warm); a million at once would measure mmap.
#include <boost/fiber/all.hpp>
#include <boost/version.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>
#include <unistd.h>
#include <vector>

namespace fibers = boost::fibers;

static double scale = 1;

static int scaled(int n)
{
    int small = static_cast<int>(n * scale);
    return small < 16 ? 16 : small;
}

static int64_t now()
{
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

static void print_ns(const char *row, int64_t ns, int64_t n)
{
    std::printf("%s %.2f ns\n", row, static_cast<double>(ns) / static_cast<double>(n));
}

// ---- spawn + join, one after another ----

static void nothing() {}

static void spawn()
{
    int n = scaled(1000000);
    int64_t t = now();
    for (int i = 0; i < n; i++)
        fibers::fiber(nothing).join();
    print_ns("spawn", now() - t, n);
}

// ---- yield: two fibers, time per yield ----

static void yielder(int n)
{
    for (int i = 0; i < n; i++)
        boost::this_fiber::yield();
}

static void yield()
{
    int n = scaled(1000000);
    int64_t t = now();
    fibers::fiber a(yielder, n), b(yielder, n);
    a.join();
    b.join();
    print_ns("yield", now() - t, 2 * static_cast<int64_t>(n));
}

// ---- unbuffered ping-pong: time per round trip ----

using unbuffered = fibers::unbuffered_channel<int>;
using buffered = fibers::buffered_channel<int>;

static void pong(unbuffered &in, unbuffered &out)
{
    int v;
    while (in.pop(v) == fibers::channel_op_status::success)
        out.push(v);
    out.close();
}

static void pingpong()
{
    int n = scaled(500000);
    unbuffered a, b;
    fibers::fiber other(pong, std::ref(a), std::ref(b));
    int64_t t = now();
    for (int i = 0; i < n; i++) {
        int v;
        a.push(i);
        b.pop(v);
    }
    print_ns("pingpong", now() - t, n);
    a.close();
    other.join();
}

// ---- buffered pipe, time per element. Boost's channel of 128 holds 127. ----

static void pipe_producer(buffered &c, int n)
{
    for (int i = 0; i < n; i++)
        c.push(i);
}

static void pipe_consumer(buffered &c, int n)
{
    int v;
    for (int i = 0; i < n; i++)
        c.pop(v);
}

static void pipe_n(const char *row, int pairs, int n)
{
    int each = scaled(n) / pairs;
    buffered c(128);
    std::vector<fibers::fiber> all;
    int64_t t = now();
    for (int i = 0; i < pairs; i++) {
        all.emplace_back(pipe_producer, std::ref(c), each);
        all.emplace_back(pipe_consumer, std::ref(c), each);
    }
    for (fibers::fiber &f : all)
        f.join();
    print_ns(row, now() - t, static_cast<int64_t>(each) * pairs);
}

static void pipe1()
{
    pipe_n("pipe1x1", 1, 2000000);
}

static void pipe4()
{
    pipe_n("pipe4x4", 4, 2000000);
}

// ---- mutex: lock + unlock ----

static fibers::mutex mutex;
static int64_t counter;

static void locker(int n)
{
    for (int i = 0; i < n; i++) {
        mutex.lock();
        counter++;
        mutex.unlock();
    }
}

static void mutex_n(const char *row, int count, int n)
{
    int each = scaled(n) / count;
    std::vector<fibers::fiber> all;
    int64_t t = now();
    for (int i = 0; i < count; i++)
        all.emplace_back(locker, each);
    for (fibers::fiber &f : all)
        f.join();
    print_ns(row, now() - t, static_cast<int64_t>(each) * count);
}

static void mutex1()
{
    mutex_n("mutex1", 1, 5000000);
}

static void mutex8()
{
    mutex_n("mutex8", 8, 5000000);
}

// ---- 10,000 sleepers of 1 ms, ten naps each: lateness ----

static void sleeper(int64_t *late, int n)
{
    for (int i = 0; i < n; i++) {
        int64_t t = now();
        boost::this_fiber::sleep_for(std::chrono::milliseconds(1));
        late[i] = now() - t - 1000000;
    }
}

static void sleepers()
{
    const int naps = 10;
    int n = scaled(10000);
    std::vector<int64_t> late(static_cast<size_t>(n) * naps);
    std::vector<fibers::fiber> all;
    for (int i = 0; i < n; i++)
        all.emplace_back(sleeper, &late[static_cast<size_t>(i) * naps], naps);
    for (fibers::fiber &f : all)
        f.join();
    std::sort(late.begin(), late.end());
    std::printf("sleep10k_p50 %.3f us\nsleep10k_p99 %.3f us\n", static_cast<double>(late[late.size() / 2]) / 1e3,
                static_cast<double>(late[late.size() * 99 / 100]) / 1e3);
}

// ---- n fibers, each of which passes a mutex section and parks on a channel ----

static int64_t resident()
{
    long pages = 0, skip;
    if (std::FILE *f = std::fopen("/proc/self/statm", "r")) {
        if (std::fscanf(f, "%ld %ld", &skip, &pages) != 2)
            pages = 0;
        std::fclose(f);
    }
    return pages * sysconf(_SC_PAGESIZE);
}

struct park {
    fibers::mutex section;
    int passed = 0, n = 0;
    buffered all{2};
    unbuffered gate;
};

static void parker(park &p)
{
    p.section.lock();
    bool last = ++p.passed == p.n;
    p.section.unlock();
    if (last)
        p.all.push(1);
    int v;
    p.gate.pop(v);
}

static void park100k()
{
    // Never deleted: if a stack can't be had, the exception must not meet the destructors of fibers that still wait.
    park &p = *new park;
    auto &all = *new std::vector<fibers::fiber>;
    p.n = scaled(100000);
    int64_t before = resident(), t = now();
    for (int i = 0; i < p.n; i++)
        all.emplace_back(parker, std::ref(p));
    int v;
    p.all.pop(v);
    t = now() - t;
    int64_t after = resident(), wake = now();
    p.gate.close();
    for (fibers::fiber &f : all)
        f.join();
    wake = now() - wake;
    std::printf("park100k %.2f ms\npark100k_bytes %.0f B\npark100k_wake %.2f ms\n", static_cast<double>(t) / 1e6,
                static_cast<double>(after - before) / p.n, static_cast<double>(wake) / 1e6);
}

// ---- prime sieve: the first n primes by a chain of filters ----

static void generate(unbuffered &out)
{
    for (int i = 2;; i++)
        out.push(i);
}

static void filter(unbuffered &in, unbuffered &out, int prime)
{
    int v;
    while (in.pop(v) == fibers::channel_op_status::success)
        if (v % prime)
            out.push(v);
}

static void sieve()
{
    int n = scaled(600);
    int64_t t = now();
    unbuffered *c = new unbuffered;
    fibers::fiber(generate, std::ref(*c)).detach();
    int prime = 0;
    for (int i = 0; i < n; i++) {
        c->pop(prime);
        unbuffered *next = new unbuffered;
        fibers::fiber(filter, std::ref(*c), std::ref(*next), prime).detach();
        c = next;
    }
    std::printf("sieve %.2f ms\n", static_cast<double>(now() - t) / 1e6);   // the chain is left behind
}

static const struct {
    const char *name;
    void (*run)();
} rows[] = {
    {"spawn", spawn},   {"yield", yield},   {"pingpong", pingpong},  {"pipe1x1", pipe1},     {"pipe4x4", pipe4},
    {"mutex1", mutex1}, {"mutex8", mutex8}, {"sleep10k", sleepers}, {"park100k", park100k}, {"sieve", sieve},
};

static int usage(const std::string &problem)
{
    std::fprintf(stderr, "bench_boost: %s\nusage: bench_boost [--scale F] [ROW ...]   F: sizes times F, over 0 and at most 1\nrows:", problem.c_str());
    for (const auto &r : rows)
        std::fprintf(stderr, " %s", r.name);
    std::fprintf(stderr, "\n");
    return 2;
}

int main(int argc, char **argv)
{
    std::vector<std::string> args(argv + 1, argv + argc);
    if (args.size() == 1 && args[0] == "--version") {
        std::printf("%d.%d, compiled by %s %s\n", BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000,
#ifdef __clang__
                    "clang", __clang_version__);
#else
                    "gcc", __VERSION__);
#endif
        return 0;
    }
    if (!args.empty() && args[0] == "--scale") {
        char *end = nullptr;
        scale = args.size() > 1 ? std::strtod(args[1].c_str(), &end) : 0;
        if (!end || *end || !(scale > 0 && scale <= 1))
            return usage("--scale needs a number over 0 and at most 1");
        args.erase(args.begin(), args.begin() + 2);
    }
    for (const std::string &a : args)
        if (std::none_of(std::begin(rows), std::end(rows), [&](const auto &r) { return a == r.name; }))
            return usage("no row '" + a + "'");
    for (const auto &r : rows) {
        if (!args.empty() && std::find(args.begin(), args.end(), r.name) == args.end())
            continue;
        try {
            r.run();
        } catch (const std::exception &e) {   // no memory for a stack, say; the fibers so far can't be taken back
            std::printf("%s n/a %s\n", r.name, e.what());
            std::fflush(stdout);
            std::_Exit(0);
        }
        std::fflush(stdout);
    }
    std::_Exit(0);   // the sieve's fibers never end
}
