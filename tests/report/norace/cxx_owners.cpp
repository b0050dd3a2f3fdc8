/* What C++'s libraries count and announce by their own atomics: whoever is the last owner of an exception destroys it, after all others are done with
 * it; so does the last weak pointer with an object's memory; a result that becomes ready at a thread's end is seen after the destructors of that
 * thread's data; call_once and barrier (libc++'s). The order in time is by steps that the detector doesn't see. */
// expect: sum 24
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
#include <barrier>
#include <cstdio>
#include <exception>
#include <future>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>

#include "../cxx_test.h"

struct failure {
    int code = 1;
    std::string detail = std::string(60, 'd');
    virtual ~failure() { code = 0; }
};

static std::exception_ptr thrown()
{
    try {
        throw failure();
    } catch (...) {
        return std::current_exception();
    }
}

static int code_of(const std::exception_ptr &e)
{
    try {
        std::rethrow_exception(e);
    } catch (const failure &f) {
        return f.detail.size() == 60 ? f.code : 0;
    } catch (const std::exception &x) {
        return *x.what();
    }
}

/* The other thread looks at it and lets go before this one does: by the end of its pointer, or of its handler, which has the last reference of that thread. */
static int owned_by_two(std::exception_ptr e)
{
    int sum = 0;
    std::thread other = first([e, &sum]() mutable {
        sum = code_of(e);
        e = nullptr;
    });
    e = nullptr;
    other.join();
    return sum;
}

static int left_by_handler(std::exception_ptr e)
{
    int sum = 0;
    std::thread other = first([e, &sum]() mutable {
        try {
            std::rethrow_exception(std::exchange(e, nullptr));
        } catch (failure &f) {
            sum = f.code++;
        }
    });
    e = nullptr;
    other.join();
    return sum;
}

/* Both at once, and whoever is last. */
static int by_chance()
{
    int ok = 0;
    for (int i = 0; i < 200; i++) {
        std::exception_ptr e = thrown();
        int one = 0;
        std::thread other([e, &one]() mutable { one = code_of(e); e = nullptr; });
        int two = code_of(e);
        e = nullptr;
        other.join();
        ok += one + two;
    }
    return ok == 400;
}

/* The library's own exception, and one nested in another. */
static int of_the_library()
{
    std::exception_ptr e;
    try {
        std::stoi("none");
    } catch (...) {
        e = std::current_exception();
    }
    return owned_by_two(e) == 's';
}

struct outer : std::nested_exception {
    int code = 3;
};

static int nested()
{
    std::exception_ptr e;
    int sum = 0;
    try {
        try {
            throw failure();
        } catch (...) {
            throw outer();
        }
    } catch (...) {
        e = std::current_exception();
    }
    std::thread other = first([e, &sum]() mutable {
        try {
            std::rethrow_exception(e);
        } catch (const outer &o) {
            sum = o.code + code_of(o.nested_ptr());
        }
        e = nullptr;
    });
    e = nullptr;
    other.join();
    return sum;
}

/* Destroyed where it was handled, as ever: no exception_ptr. */
static int alone()
{
    try {
        throw failure();
    } catch (const failure &f) {
        return f.code;
    }
}

struct written_at_end {
    int *where;
    ~written_at_end() { *where = 5; }
};

static int ready_at_end()
{
    std::promise<std::string> promise;
    std::future<std::string> future = promise.get_future();
    int last = 0;
    std::thread t([&] {
        static thread_local written_at_end w;
        w.where = &last;
        promise.set_value_at_thread_exit(std::string(50, 'v'));
    });
    int sum = (int)future.get().size() / 50 + last;
    t.join();
    return sum;
}

static int task_at_end()
{
    std::packaged_task<int(int)> task([](int n) { return n + 1; });
    std::future<int> future = task.get_future();
    std::thread t([&] { task.make_ready_at_thread_exit(1); });
    int sum = future.get();
    t.join();
    return sum;
}

/* The other thread destroys the object, this one frees the memory that it was in. */
static int last_weak()
{
    auto object = std::make_shared<failure>();
    std::weak_ptr<failure> weak = object;
    std::thread other = first([object = std::move(object)]() mutable {
        object.reset();
    });
    bool gone = !weak.lock();
    weak.reset();
    other.join();
    return gone;
}

static int once()
{
    std::once_flag flag;
    int made = 0;
    std::thread other = first([&] {
        std::call_once(flag, [&] { made = 1; });
    });
    std::call_once(flag, [&] { made = 2; });
    int is = made;
    other.join();
    return is;
}

static int phases()
{
    int cells[2] = {0, 0}, sum = 0;
    auto add = [&]() noexcept { sum += cells[0] + cells[1]; };
    std::barrier<decltype(add)> barrier(2, add);
    auto part = [&](int i) {
        for (int n = 0; n < 20; n++) {
            cells[i] = n;
            barrier.arrive_and_wait();
            if (cells[1 - i] != n || sum < n)
                return;
            barrier.arrive_and_wait();
        }
    };
    std::thread other(part, 1);
    part(0);
    other.join();
    return sum == 4 * 190;
}

int main()
{
    int sum = owned_by_two(thrown());                                    /* 1 */
    sum += owned_by_two(std::make_exception_ptr(failure()));             /* 1 */
    sum += left_by_handler(thrown());                                    /* 1 */
    sum += by_chance() + of_the_library() + nested() + alone();          /* 7 */
    sum += ready_at_end() + task_at_end();                               /* 8 */
    sum += last_weak() + once() + phases();                              /* 3 */
    /* an exception of no class, and what throws while another is handled */
    try {
        try {
            throw 1;
        } catch (int) {
            sum += code_of(thrown());                                    /* 1 */
            throw;
        }
    } catch (int one) {
        sum += one;                                                      /* 1 */
    }
    std::promise<int> broken;
    std::future<int> f = broken.get_future();
    { std::promise<int> gone = std::move(broken); }
    try {
        f.get();
    } catch (const std::future_error &e) {
        sum += e.code() == std::future_errc::broken_promise;             /* 1 */
    }
    printf("sum %d\n", sum);
}
