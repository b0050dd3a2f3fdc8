/* C++'s own: virtual tables in construction and use, exceptions through instrumented frames, local static objects, atomics of the library. */
#include <atomic>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

struct base { int v = 0; base(); virtual ~base(); virtual int f(); };
struct left : virtual base { int f() override; ~left() override; };
struct right : virtual base { int g(); ~right() override; };
struct both : left, right { int f() override; ~both() override; };
base::base() { v = 1; }
base::~base() { v = 2; }
int base::f() { return v; }
left::~left() { v = 3; }
int left::f() { return v + 1; }
right::~right() { v = 4; }
int right::g() { return f(); }
both::~both() { v = 5; }
int both::f() { return left::f() + right::v; }
int use(base *b) { return b->f() + (dynamic_cast<both *>(b) ? 1 : 0); }
base *make() { return new both; }
void end(base *b) { delete b; }

struct cleanup { std::string &s; ~cleanup() { s += "x"; } };
int thrower(int n) { if (n > 3) throw std::runtime_error("n"); return n; }
int caught(int n, std::string &s)
{
    cleanup c{s};
    try { return thrower(n); } catch (const std::exception &) { return -1; }
}
std::string &local() { static std::string s = "local"; return s; }

template <class T> T all(std::atomic<T> &a, T v)
{
    T e = v;
    a.compare_exchange_weak(e, v, std::memory_order_acq_rel, std::memory_order_acquire);
    a.compare_exchange_strong(e, v);
    a.store(a.exchange(v, std::memory_order_acq_rel), std::memory_order_release);
    return a.load(std::memory_order_consume);
}
template char all(std::atomic<char> &, char);
template short all(std::atomic<short> &, short);
template int all(std::atomic<int> &, int);
template long all(std::atomic<long> &, long);
template void *all(std::atomic<void *> &, void *);
long count(std::atomic<long> &a) { return a++ + ++a + (a += 2) + (a |= 4); }

int run(std::mutex &m, std::vector<std::shared_ptr<base>> &v)
{
    std::thread t([&] { std::lock_guard<std::mutex> l(m); v.push_back(std::make_shared<both>()); });
    t.join();
    return use(v.back().get());
}
