/* Functions left by exceptions and by the thread's end: through libc's frames and the detector's, with what their objects' destructors do. */
// expect: calls 2, destructors 408
// expect: the end: 2
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include <cstdio>
#include <mutex>
#include <pthread.h>
#include <string>
#include <thread>
#include <unistd.h>

static int destroyed, calls, attempts;
struct object {
    std::string text = "longer than what fits into a string itself";
    ~object() { destroyed++; }
};

static void *exits(void *p)
{
    object o;
    [] { object inner; pthread_exit(nullptr); }();
    return p;
}
static void *is_cancelled(void *p)
{
    object o;
    for (;;) {
        object inner;
        pause();
        destroyed -= 1000;
    }
    return p;
}
static void deep(int n)
{
    object o;
    if (n == 0)
        throw n;
    deep(n - 1);
}

static std::once_flag once;
static void tries_once()
{
    try {
        std::call_once(once, [] { if (++calls == 1) throw 1; });
    } catch (int) {
    }
}

/* A local static object whose first initialization fails in one thread, and is destroyed by another than made it. */
struct unlucky {
    int value;
    unlucky() : value(++attempts) { if (attempts == 1) throw 1; }
    ~unlucky() { printf("the end: %d\n", value); value = 0; }
};
static int look()
{
    static unlucky u;
    return u.value;
}
static void tries()
{
    try {
        look();
    } catch (int) {
    }
}

int main()
{
    pthread_t t;
    pthread_create(&t, nullptr, exits, nullptr);
    pthread_join(t, nullptr);
    pthread_create(&t, nullptr, is_cancelled, nullptr);
    usleep(10000);
    pthread_cancel(t);
    pthread_join(t, nullptr);
    for (int i = 0; i < 4; i++)
        try {
            deep(100);
        } catch (int) {
        }
    std::thread a(tries_once), b(tries_once), c(tries), d(tries);
    a.join();
    b.join();
    c.join();
    d.join();
    printf("calls %d, destructors %d\n", calls, destroyed);
}
