/* Shared by the racy programs and their clean twins. Order between goroutines that must not be seen by the detector is made by a hidden
 * step counter: an atomic accessed without instrumentation. */
#include <gort.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <unistd.h>

#define HIDDEN __attribute__((no_sanitize("thread"), noinline, unused)) static

static volatile int hidden_step;
HIDDEN void step(int n)
{
    __asm__ volatile("movl %1, %0" : "=m"(hidden_step) : "r"(n) : "memory");
}
HIDDEN void step_on(void)   /* by one of many */
{
    __asm__ volatile("lock incl %0" : "+m"(hidden_step) : : "memory");
}
HIDDEN void await(int n)
{
    for (;;) {
        int now;
        __asm__ volatile("movl %1, %0" : "=r"(now) : "m"(hidden_step) : "memory");
        if (now >= n)
            return;
        usleep(100);
    }
}

/* A thread that doesn't get the signal. */
__attribute__((unused)) static void create_without(int number, pthread_t *t, void *(*fn)(void *), void *arg)
{
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, number);
    pthread_sigmask(SIG_BLOCK, &one, NULL);
    pthread_create(t, NULL, fn, arg);
    pthread_sigmask(SIG_UNBLOCK, &one, NULL);
}

int x;   /* not static: a store that nobody reads must stay a store */
int sink;
