/* Worker threads that start late, as on a machine with much to do: nothing may be lost meanwhile. */
#define _GNU_SOURCE
#include <criterion/criterion.h>
#include <dlfcn.h>
#include <gort.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct late_start {
    void *(*fn)(void *);
    void *arg;
};

static _Atomic(bool) late;

static void *start_late(void *p)
{
    struct late_start s = *(struct late_start *)p;
    free(p);
    struct timespec t = {.tv_nsec = 60000000};   /* several of the monitor's slices */
    nanosleep(&t, NULL);
    return s.fn(s.arg);
}

/* In place of libc's, which it calls: while `late` is set, a thread begins 60 ms after it was made. */
int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
    int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) =
        (__typeof__(real))(uintptr_t)dlsym(RTLD_NEXT, "pthread_create");
    if (!late)
        return real(thread, attr, fn, arg);
    struct late_start *s = malloc(sizeof *s);
    cr_assert(s);
    *s = (struct late_start){fn, arg};
    return real(thread, attr, start_late, s);
}

static void produce(go_send_chan(int) c)
{
    for (int i = 0; i < 1000; i++)
        go_send(c, i);
    go_close(c);
}

/* The first worker is made for the goroutine; main, a thread without a P, and it wake each other over and over. The monitor once took the
 * P from the worker before its thread ran: it was counted as looking for work for ever after, and nobody was woken again. */
Test(worker, a_thread_that_starts_late_keeps_its_p, .timeout = 30)
{
    go_id();   /* starts the runtime with its monitor, in time */
    late = true;
    go_chan(int) c = go_make_chan(int, 4);
    int v, sum = 0;
    go(produce, c);
    while (go_recv(c, &v))
        sum += v;
    cr_assert_eq(sum, 499500);
    go_chan_free(c);
}
