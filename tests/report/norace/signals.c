/* Signal handlers run wherever they come, the detector's own work included: no report, no deadlock, and the program goes on. longjmp out of one. */
// expect: all done
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#define _GNU_SOURCE
#include "race_test.h"
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>

static volatile sig_atomic_t came;
static int by_handler[64];
static sem_t sem;
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static sigjmp_buf out;

static void on_timer(int s)
{
    int saved = errno;
    came++;
    for (int i = 0; i < 64; i++)
        by_handler[i] += s;
    sem_post(&sem);
    errno = saved;
}

static void on_usr1(int s, siginfo_t *info, void *context)
{
    (void)context;
    if (s != SIGUSR1 || info->si_signo != s)
        abort();
    by_handler[0]++;
}

static void on_usr2(int s) { siglongjmp(out, s); }

static int numbers[1 << 12];
static void work(void)
{
    for (int k = 0; k < 300; k++) {
        pthread_mutex_lock(&m);
        for (int i = 0; i < 1 << 12; i++)
            numbers[i] += i;
        pthread_mutex_unlock(&m);
        free(malloc((size_t)k * 16));
    }
}

static void *worker(void *p) { work(); return p; }

int main(void)
{
    struct sigaction a = {.sa_sigaction = on_usr1, .sa_flags = SA_SIGINFO | SA_RESTART}, was;
    pthread_t t;
    sem_init(&sem, 0, 0);
    signal(SIGALRM, on_timer);
    sigaction(SIGUSR1, &a, NULL);
    sigaction(SIGUSR1, NULL, &was);
    if (was.sa_sigaction != on_usr1 || !(was.sa_flags & SA_SIGINFO))
        abort();
    if (signal(SIGUSR2, SIG_IGN) != SIG_DFL || signal(SIGUSR2, on_usr2) != SIG_IGN || signal(SIGUSR2, on_usr2) != on_usr2)
        abort();
    sigset_t all, none;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &none);   /* signals are main's */
    pthread_create(&t, NULL, worker, NULL);
    pthread_sigmask(SIG_SETMASK, &none, NULL);
    struct itimerval often = {{0, 200}, {0, 200}}, never = {{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &often, NULL);
    work();
    for (int i = 0; i < 50; i++)
        while (sem_wait(&sem) != 0) {
        }
    setitimer(ITIMER_REAL, &never, NULL);
    signal(SIGALRM, SIG_DFL);
    pthread_join(t, NULL);
    raise(SIGUSR1);
    for (volatile int i = 0; i < 1000; i++)
        if (sigsetjmp(out, 1) == 0)
            raise(SIGUSR2);
    work();
    puts(came > 50 && by_handler[0] > 50 ? "all done" : "no signal came");
    return 0;
}
