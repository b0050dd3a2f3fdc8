/* Signals that are put off come again, as they were. */
#define _GNU_SOURCE
#include "../../detectors/race/race_deferred.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t put_off;   /* how often each signal still is */
static volatile sig_atomic_t came, values[300], stale;

static void on(int s, siginfo_t *info, void *context)
{
    (void)context;
    siginfo_t was;
    enum deferred_kind kind = deferred_is(info);
    if (kind == DEFERRED_STALE) {
        stale++;
        return;
    }
    if (kind == DEFERRED_NOT && put_off > 0) {
        if (!deferred_add(s, info))
            _exit(3);
        return;
    }
    if (kind == DEFERRED_AGAIN && put_off > 1) {
        put_off--;
        if (!deferred_again(info, 100))
            _exit(4);
        return;
    }
    put_off = 0;
    if (kind == DEFERRED_AGAIN)
        deferred_take(info, &was);
    values[came++] = kind == DEFERRED_AGAIN ? was.si_value.sival_int : info->si_value.sival_int;
    while (deferred_take_oldest(s, s, NULL, &was))
        values[came++] = was.si_value.sival_int;
}

static void start(int s)
{
    struct sigaction a = {.sa_sigaction = on, .sa_flags = SA_SIGINFO};
    sigaction(s, &a, NULL);
    came = stale = 0;
}

static void queue(int s, int value)
{
    cr_assert_eq(pthread_sigqueue(pthread_self(), s, (union sigval){.sival_int = value}), 0);
}

Test(race_deferred, comes_again)
{
    start(SIGUSR1);
    put_off = 20;
    queue(SIGUSR1, 7);
    while (!came)
        ;
    cr_assert_eq(values[0], 7);
    cr_assert(!deferred_any());
    usleep(2000);
    cr_assert_eq(came, 1);
}

Test(race_deferred, standard_waits_once)
{
    start(SIGUSR1);
    put_off = 3;
    queue(SIGUSR1, 1);
    queue(SIGUSR1, 2);
    while (!came)
        ;
    usleep(2000);
    cr_assert_eq(came, 1);
    cr_assert_eq(values[0], 1);
}

Test(race_deferred, queued_are_all_there_in_order)
{
    start(SIGRTMIN);
    put_off = 50;
    for (int i = 0; i < 200; i++)
        queue(SIGRTMIN, i);
    while (came < 200)
        ;
    for (int i = 0; i < 200; i++)
        cr_assert_eq(values[i], i);
    cr_assert(!deferred_any());
}

/* One that is blocked stays, and another signal's is taken. */
Test(race_deferred, taken_by_number)
{
    siginfo_t info = {.si_signo = SIGUSR1}, got;
    sigset_t mask, usr1;
    start(SIGUSR1);
    start(SIGUSR2);
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    sigfillset(&mask);
    pthread_sigmask(SIG_BLOCK, &mask, NULL);
    cr_assert(deferred_add(SIGUSR1, &info));
    info.si_signo = SIGUSR2;
    cr_assert(deferred_add(SIGUSR2, &info));
    cr_assert(deferred_any());
    cr_assert(!deferred_take_oldest(SIGRTMIN, 64, NULL, &got));
    cr_assert(deferred_take_oldest(1, 64, &usr1, &got));
    cr_assert_eq(got.si_signo, SIGUSR2);
    cr_assert(!deferred_take_oldest(1, 64, &usr1, &got));
    usleep(2000);   /* both timers have run out */
    put_off = 0;
    pthread_sigmask(SIG_UNBLOCK, &mask, NULL);
    while (!came)
        ;
    cr_assert_eq(came, 1);
    cr_assert(!deferred_any());
}

static void *has_one(void *p)
{
    siginfo_t info = {.si_signo = SIGUSR1};
    sigset_t mask;
    sigfillset(&mask);
    pthread_sigmask(SIG_BLOCK, &mask, NULL);
    deferred_add(SIGUSR1, &info);
    atomic_store((atomic_int *)p, 1);
    while (atomic_load((atomic_int *)p) != 2)
        usleep(100);
    sigset_t none;
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, NULL);
    return NULL;
}

Test(race_deferred, others_are_not_the_callers)
{
    static atomic_int step;
    pthread_t t;
    siginfo_t got;
    start(SIGUSR1);
    put_off = 0;
    pthread_create(&t, NULL, has_one, &step);
    while (atomic_load(&step) != 1)
        usleep(100);
    cr_assert(deferred_any());
    cr_assert(!deferred_take_oldest(1, 64, NULL, &got));
    deferred_wait(SIGUSR2);   /* there is none */
    atomic_store(&step, 2);
    deferred_wait(SIGUSR1);
    cr_assert(!deferred_any());
    pthread_join(t, NULL);
    cr_assert_eq(came, 1);
}

/* No more than there is room for; what found none is the caller's to handle. */
Test(race_deferred, full)
{
    siginfo_t info = {.si_signo = SIGRTMIN}, got;
    sigset_t mask;
    start(SIGRTMIN);
    sigfillset(&mask);
    pthread_sigmask(SIG_BLOCK, &mask, NULL);
    int n = 0;
    for (; n < 100000; n++) {
        info.si_value.sival_int = n;
        if (!deferred_add(SIGRTMIN, &info))
            break;
    }
    cr_assert_gt(n, 100);
    cr_assert_lt(n, 100000);
    for (int i = 0; i < n; i++) {
        cr_assert(deferred_take_oldest(1, 64, NULL, &got));
        cr_assert_eq(got.si_value.sival_int, i);
    }
    cr_assert(!deferred_take_oldest(1, 64, NULL, &got));
}

Test(race_deferred, a_child_has_none)
{
    start(SIGUSR1);
    put_off = 1000;
    siginfo_t info = {.si_signo = SIGUSR1};
    sigset_t mask;
    sigfillset(&mask);
    pthread_sigmask(SIG_BLOCK, &mask, NULL);
    cr_assert(deferred_add(SIGUSR1, &info));
    pid_t child = fork();
    if (child == 0) {
        deferred_forked();
        _exit(deferred_any() || !deferred_add(SIGUSR1, &info) ? 1 : 0);
    }
    int status;
    waitpid(child, &status, 0);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
