/* Shared by the racy C++ programs and their clean twins. Order in time that the detector must not see is made by a hidden step counter: it is accessed
 * without instrumentation. */
#ifndef CXX_TEST_H
#define CXX_TEST_H
#include <thread>
#include <unistd.h>
#include <utility>

static volatile int hidden_step;
__attribute__((no_sanitize("thread"), noinline)) static void step(int n) { __asm__ volatile("movl %1, %0" : "=m"(hidden_step) : "r"(n) : "memory"); }
__attribute__((no_sanitize("thread"), noinline)) static void await(int n)
{
    for (int now = 0; now < n; usleep(100))
        __asm__ volatile("movl %1, %0" : "=r"(now) : "m"(hidden_step) : "memory");
}

/* A thread that has done it by the time that its maker goes on, which orders nothing. */
template <class F> static std::thread first(F does)
{
    step(0);
    std::thread other([does = std::move(does)]() mutable {
        does();
        step(1);
    });
    await(1);
    return other;
}

#endif
