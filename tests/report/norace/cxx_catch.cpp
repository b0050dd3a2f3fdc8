/* Exceptions belong to the goroutine: one that waits in a catch block, in nested ones, or in a destructor while an exception passes, finds its own afterwards,
 * whoever caught something on the same thread meanwhile and whichever thread it goes on on. A goroutine that ends in a catch block leaves nothing behind. */
// expect: caught 1200 of 1200
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// env: GOMAXPROCS=2
// runs: 3
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>

struct go_timer;
extern "C" {
go_timer *go_after_func(int64_t ns, void (*fn)(void *), void *arg);
void go_timer_free(go_timer *t);
void go_sleep(int64_t ns);
void go_yield(void);
[[noreturn]] void go_exit(void);
}

enum { GOROUTINES = 20, ROUNDS = 20 };
static std::atomic<int> right, ended;

struct waits_when_destroyed {
    int uncaught = std::uncaught_exceptions();
    ~waits_when_destroyed()
    {
        go_yield();
        if (std::uncaught_exceptions() == uncaught + 1)
            right++;
    }
};

static void one(int number)
{
    std::string text = "exception " + std::to_string(number);
    try {
        waits_when_destroyed w;
        throw std::runtime_error(text);
    } catch (const std::exception &e) {
        go_sleep(number % 3 * 1000);
        if (e.what() == text)
            right++;
        try {
            go_yield();
            throw;
        } catch (const std::exception &again) {
            go_yield();
            if (again.what() == text && std::uncaught_exceptions() == 0)
                right++;
        }
    }
}

static void goroutine(void *arg)
{
    int id = (int)(intptr_t)arg;
    for (int i = 0; i < ROUNDS; i++)
        one(id * 1000 + i);
    ended++;
    try {
        throw id;
    } catch (int) {
        if (id % 2)
            go_exit();
    }
}

int main()
{
    go_timer *t[GOROUTINES];
    for (int i = 0; i < GOROUTINES; i++)
        t[i] = go_after_func(0, goroutine, (void *)(intptr_t)i);
    while (ended < GOROUTINES)
        go_sleep(1000000);
    for (go_timer *timer : t)
        go_timer_free(timer);
    std::printf("caught %d of %d\n", right.load(), 3 * GOROUTINES * ROUNDS);
}
