/* Exceptions and other objects with two owners, results of threads that end, call_once, barriers: what no owner's letting go, no readiness and so on
 * orders. Who made a thread or an exception is the program, not the library. */
// race-expect: WARNING: DATA RACE
// race-expect: Found 7 data race
// absent: _M_start_thread|__cxa_allocate_exception
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
#include <barrier>
#include <cstdio>
#include <exception>
#include <future>
#include <memory>
#include <mutex>
#include <string>

#include "../cxx_test.h"

struct failure {
    volatile int code = 1;   /* or its last write would be left out */
    int seen = 0;
    virtual ~failure() { code = 0; }
};

static int sum;

struct written_at_end {
    int *where;
    ~written_at_end() { *where = 5; }
};

int main()
{
    /* 1: one owner changes it while the other looks. 2: a reference to it is used after its owner has let go; the last one destroys it. */
    std::exception_ptr e = std::make_exception_ptr(failure());
    std::thread a = first([e]() mutable {
        const failure *kept = nullptr;
        try {
            std::rethrow_exception(e);
        } catch (failure &f) {
            f.seen++;
            kept = &f;
        }
        e = nullptr;
        sum += kept->code;
    });
    try {
        std::rethrow_exception(e);
    } catch (const failure &f) {
        sum -= f.seen;   /* 3: and sum */
    }
    e = nullptr;
    a.join();
    /* 4: ready before the thread's data are destroyed */
    std::promise<int> promise;
    std::future<int> future = promise.get_future();
    int last = 0;
    std::thread b([&] {
        static thread_local written_at_end w;
        w.where = &last;
        promise.set_value(1);
    });
    sum += future.get() + last;
    b.join();
    /* 5: an object is used after its owner has let go; the last weak pointer frees its memory */
    struct plain { int n = 1; };
    auto object = std::make_shared<plain>();
    std::weak_ptr<plain> weak = object;
    std::thread c = first([object = std::move(object)]() mutable {
        plain *kept = object.get();
        object.reset();
        kept->n++;
    });
    weak.reset();
    c.join();
    /* 6: done after the once, not by it */
    std::once_flag once;
    int made = 0;
    std::thread d = first([&] {
        std::call_once(once, [] {});
        made = 1;
    });
    std::call_once(once, [] {});
    int is = made;
    d.join();
    /* 7: done after the arrival */
    int cell = is;
    std::barrier<> barrier(2);
    std::thread e2 = first([&] {
        (void)barrier.arrive();
        cell++;
    });
    barrier.arrive_and_wait();
    sum += cell;
    e2.join();
    printf("%d\n", sum < 100);
}
