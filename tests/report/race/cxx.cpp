/* C++: what only C++ has, unsynchronized: containers, new and delete, virtual tables. */
// race-expect: WARNING: DATA RACE
// race-expect: Found [4-9] data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
#include <atomic>
#include <cstdio>
#include <vector>

#include "../cxx_test.h"

struct shape {
    virtual int area() { return 0; }
    virtual ~shape() {}
};
struct square : shape {
    int side = 1;
    int area() override { return side * side; }
};

static std::vector<int> numbers(4);
static std::atomic<int *> block{nullptr};
static shape *object;
static int plain;
static int sum;

int main()
{
    object = new square;
    std::thread t = first([] {
        numbers[1] = 7;                                          /* 1 */
        block.store(new int(3), std::memory_order_relaxed);      /* 2: a relaxed store publishes nothing */
        plain++;                                                 /* 3 */
        static_cast<square *>(object)->side = 2;                 /* 4 */
    });
    sum += numbers[1];
    sum += *block.load(std::memory_order_relaxed);
    plain++;
    sum += object->area();
    delete block.load(std::memory_order_relaxed);                /* 5: of what another thread made */
    t.join();
    delete object;
    printf("%d\n", sum);
}
