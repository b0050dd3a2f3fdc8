/* C++'s own synchronization, and memory used again by new: the library's threads, locks and blocks are known although it was not compiled for it. */
// expect: sum 81000
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <queue>
#include <shared_mutex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

static std::mutex m;
static std::recursive_mutex rm;
static std::timed_mutex tm;
static std::shared_timed_mutex sm;
static std::condition_variable cv;
static std::condition_variable_any cva;
static std::once_flag once;
static int sum, initialized, shared_value;

/* A queue of strings under a mutex and a condition. */
static std::queue<std::string> q;
static void producer()
{
    for (int i = 0; i < 1000; i++) {
        std::lock_guard<std::mutex> l(m);
        q.push("a string that is longer than any small buffer " + std::to_string(i));
        cv.notify_one();
    }
}
static void consumer()
{
    for (int i = 0; i < 1000; i++) {
        std::unique_lock<std::mutex> l(m);
        if (i % 2)
            cv.wait(l, [] { return !q.empty(); });
        else
            while (!cv.wait_for(l, std::chrono::milliseconds(50), [] { return !q.empty(); })) {
            }
        sum += q.front().empty() ? 0 : 1;
        q.pop();
    }
}

struct table {
    std::map<int, std::string> entries;
    table() { for (int i = 0; i < 50; i++) entries[i] = std::string(100, 'x'); }
};
static int look_up(int i)
{
    static table t;   /* made by whoever is first */
    return (int)t.entries[i % 50].size();
}

struct thrower {
    ~thrower() { std::lock_guard<std::recursive_mutex> l(rm); }
    void go(int n) { if (n == 0) throw std::runtime_error("out of " + std::to_string(n)); go(n - 1); }
};

static void everything(int k)
{
    for (int i = 0; i < 200; i++) {
        std::call_once(once, [] { initialized = 1; });
        {
            std::lock_guard<std::recursive_mutex> l(rm);
            std::lock_guard<std::recursive_mutex> l2(rm);
            sum += initialized;
        }
        while (!tm.try_lock_for(std::chrono::seconds(1))) {
        }
        tm.unlock();
        if (i % 8 == 0) {
            std::unique_lock<std::shared_timed_mutex> l(sm);
            shared_value++;
        } else {
            std::shared_lock<std::shared_timed_mutex> l(sm);
            if (shared_value < 0)
                throw std::logic_error("never");
        }
        if (look_up(i) != 100)
            throw std::logic_error("look_up");
        std::stringstream s;
        s << i << " " << k << std::string(200, 'y');
        auto p = std::make_unique<std::vector<std::string>>(20, s.str());
        try {
            thrower().go(i % 20);
        } catch (const std::runtime_error &e) {
            if (!strstr(e.what(), "out of"))
                throw;
        }
    }
}

struct node { std::string text = std::string(60, 'z'); };

int main()
{
    std::thread a(producer), b(consumer);
    a.join();
    b.join();
    std::vector<std::thread> ts;
    for (int k = 0; k < 4; k++)
        ts.emplace_back(everything, k);
    for (auto &t : ts)
        t.join();
    /* futures, packaged tasks, promises */
    std::promise<std::string> promise;
    auto future = promise.get_future();
    std::thread c([&] { promise.set_value(std::string(500, 'p')); });
    sum += (int)future.get().size();   /* 500 */
    c.join();
    for (int i = 0; i < 50; i++) {
        auto f = std::async(std::launch::async, [i] { return std::vector<int>(100, i); });
        sum += (int)f.get().size();   /* 5000 */
    }
    auto bad = std::async(std::launch::async, []() -> int { throw std::runtime_error("from a thread"); });
    try {
        bad.get();
    } catch (const std::exception &e) {
        sum += (int)strlen(e.what());   /* 13 */
    }
    /* shared pointers whose last owner is any thread */
    for (int i = 0; i < 100; i++) {
        auto p = std::make_shared<node>();
        std::thread d([p] { if (p->text.size() != 60) abort(); });
        std::thread e([p] { if (p->text.size() != 60) abort(); });
        p.reset();
        d.join();
        e.join();
    }
    /* release and acquire; a flag as a lock */
    std::atomic<node *> published{nullptr};
    std::thread f([&] { published.store(new node, std::memory_order_release); });
    node *n;
    while (!(n = published.load(std::memory_order_acquire)))
        std::this_thread::yield();
    sum += (int)n->text.size();   /* 60 */
    delete n;
    f.join();
    std::atomic_flag flag{};
    int counted = 0;
    auto count = [&] {
        for (int i = 0; i < 1000; i++) {
            while (flag.test_and_set(std::memory_order_acquire)) {
            }
            counted++;
            flag.clear(std::memory_order_release);
        }
    };
    std::thread g(count), h(count);
    g.join();
    h.join();
    {
        bool ready = false;
        std::thread i([&] { std::lock_guard<std::mutex> l(m); ready = true; cva.notify_all(); });
        std::unique_lock<std::mutex> l(m);
        cva.wait(l, [&] { return ready; });
        l.unlock();
        i.join();
    }
    std::thread([] { thread_local std::string s = std::string(100, 't'); s += "x"; }).detach();
    /* 1000 + 800 + 500 + 5000 + 13 + 60 + 2000 = 9373; the rest to a round number */
    printf("sum %d\n", sum + counted + 71627);
}
