/* A signal that found the detector at work, and is blocked before it could be handled: who waits for it then gets it, as it was sent and in its order. Here
 * the handler of another signal, which blocks it, waits for it. */
// expect: all done
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
#define _GNU_SOURCE
#include "race_test.h"
#include "signal_work.h"
#include <errno.h>
#include <signal.h>

enum { QUEUED = 20000, WINDOW = 100 };
static atomic_int came, asked, answered;

static void must(bool so, const char *what, int got)
{
    if (!so) {
        printf("not so: %s (%d)\n", what, got);
        exit(1);
    }
}

static void comes(int s, siginfo_t *info, void *context)
{
    (void)context;
    must(s == SIGRTMIN, "the signal", s);
    must(info->si_code == SI_QUEUE, "as it was sent", info->si_code);
    must(info->si_value.sival_int == came, "in order", info->si_value.sival_int - came);
    came++;
}

static void waits(int s)
{
    sigset_t its;
    siginfo_t info;
    const struct timespec no_time = {0, 0};
    (void)s;
    sigemptyset(&its);
    sigaddset(&its, SIGRTMIN);
    while (sigtimedwait(&its, &info, &no_time) > 0)
        comes(SIGRTMIN, &info, NULL);
    answered = asked;
}

static void *sends(void *to)
{
    for (int i = 0; i < QUEUED; i++) {
        while (pthread_sigqueue(*(pthread_t *)to, SIGRTMIN, (union sigval){.sival_int = i}) == EAGAIN)
            usleep(100);
        if (answered == asked) {
            asked++;
            pthread_kill(*(pthread_t *)to, SIGUSR1);
        }
        while (i - came > WINDOW)   /* the detector keeps 256 */
            usleep(20);
    }
    return NULL;
}

int main(void)
{
    alarm(120);
    struct sigaction queued = {.sa_sigaction = comes, .sa_flags = SA_SIGINFO}, waiting = {.sa_handler = waits};
    sigaddset(&waiting.sa_mask, SIGRTMIN);
    sigaddset(&queued.sa_mask, SIGUSR1);
    sigaction(SIGRTMIN, &queued, NULL);
    sigaction(SIGUSR1, &waiting, NULL);
    pthread_t t, me = pthread_self();
    pthread_create(&t, NULL, sends, &me);
    while (came < QUEUED)
        work(50);
    pthread_join(t, NULL);
    puts("all done");
    return 0;
}
