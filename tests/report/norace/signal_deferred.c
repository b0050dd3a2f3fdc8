/* Most signals here come while the detector is at work, for the program does nothing but accesses. Their handlers order what they hand on all the same; nothing
 * is lost, doubled or handled after it could be; and it is as if no detector were there: order, values, errno, one-shot handlers, system calls. */
// expect: all done
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#define _GNU_SOURCE
#include "race_test.h"
#include <errno.h>
#include <sys/time.h>
#include <sys/wait.h>

enum { N = 1 << 18, TURNS = 40, QUEUED = 300, THREADS = 60 };
static const struct itimerval often = {{0, 100}, {0, 100}}, never;
static int numbers[N];
static volatile int filled;
static int fds[2];
static sem_t sem;
static int more[TURNS];

static void must(bool so, const char *what)
{
    if (!so) {
        printf("not so: %s (errno %d)\n", what, errno);
        exit(1);
    }
}

static void work(int n)
{
    for (int i = 0; i < n; i++)
        numbers[i] += i;
}

/* ---- the self-pipe, and a semaphore ---- */

static void tells_pipe(int s)
{
    (void)s;
    int saved = errno, n = filled;
    must(write(fds[1], &n, sizeof n) == sizeof n, "a handler wrote");
    errno = saved;
}

static void *reads_pipe(void *p)
{
    long sum = 0;
    for (int n, from = 0; read(fds[0], &n, sizeof n) == sizeof n && n >= 0;)
        for (; from < n; from++)
            sum += numbers[from];
    must(sum != 0, "something was read");
    return p;
}

static void posts(int s)
{
    (void)s;
    sem_post(&sem);
}

static void *waits(void *p)
{
    must(sem_wait(&sem) == 0, "waited");
    must(more[*(int *)p] == *(int *)p + 1, "it is there");
    return p;
}

static void hands_on(void)
{
    pthread_t t;
    must(pipe(fds) == 0, "a pipe");
    signal(SIGALRM, tells_pipe);
    create_without(SIGALRM, &t, reads_pipe, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    errno = 77;
    for (int i = 0; i < N; i++) {
        numbers[i] = i;
        filled = i;
    }
    must(errno == 77, "errno stays");
    setitimer(ITIMER_REAL, &never, NULL);
    signal(SIGALRM, SIG_IGN);
    int end = -1;
    must(write(fds[1], &end, sizeof end) == sizeof end, "the end was written");
    pthread_join(t, NULL);

    sem_init(&sem, 0, 0);
    for (int i = 0; i < TURNS; i++) {
        struct itimerval soon = {{0, 0}, {0, 300}};
        create_without(SIGALRM, &t, waits, &i);
        more[i] = i + 1;
        signal(SIGALRM, posts);
        setitimer(ITIMER_REAL, &soon, NULL);
        while (sem_getvalue(&sem, &(int){0}) == 0 && pthread_tryjoin_np(t, NULL) == EBUSY)
            work(100);
        signal(SIGALRM, SIG_DFL);   /* a signal that is still to come would end the program */
    }
}

/* ---- queued ones: all of them, in order, with their values ---- */

static volatile sig_atomic_t came;
static void counts(int s, siginfo_t *info, void *context)
{
    must(s == SIGRTMIN && context && info->si_code == SI_QUEUE && info->si_signo == s, "what is known of a signal");
    must(info->si_value.sival_int == came, "in order");
    came++;
}

static void *sends(void *main_thread)
{
    for (int i = 0; i < QUEUED; i++) {
        union sigval v = {.sival_int = i};
        while (pthread_sigqueue(*(pthread_t *)main_thread, SIGRTMIN, v) == EAGAIN)
            usleep(100);
        if (i % 8 == 0)
            usleep(50);
    }
    return NULL;
}

static void queues(void)
{
    struct sigaction a = {.sa_sigaction = counts, .sa_flags = SA_SIGINFO};
    sigaction(SIGRTMIN, &a, NULL);
    pthread_t me = pthread_self(), t;
    pthread_create(&t, NULL, sends, &me);
    while (came < QUEUED)
        work(1000);
    pthread_join(t, NULL);
    work(N);
    must(came == QUEUED, "none came twice");
}

/* ---- handlers that are there once; their threads' ends; children; interrupted calls ---- */

static atomic_int handled;
static void adds(int s)
{
    (void)s;
    atomic_fetch_add(&handled, 1);
}

static void once(void)
{
    for (int i = 0; i < TURNS; i++) {
        struct itimerval soon = {{0, 0}, {0, 50}};
        struct sigaction now, a = {.sa_handler = adds, .sa_flags = (int)SA_RESETHAND};
        handled = 0;
        if (i % 2)
            must(sysv_signal(SIGALRM, adds) == SIG_DFL, "the default was back");
        else
            sigaction(SIGALRM, &a, NULL);
        must(sigaction(SIGALRM, NULL, &now) == 0 && now.sa_handler == adds && now.sa_flags & (int)SA_RESETHAND && !(now.sa_flags & SA_SIGINFO), "as it was set");
        setitimer(ITIMER_REAL, &soon, NULL);
        while (handled == 0)
            work(100);
        must(sigaction(SIGALRM, NULL, &now) == 0 && now.sa_handler == SIG_DFL, "the default is back");
    }
}

static atomic_bool may_end;
static void *ends(void *p)
{
    int mine[64] = {0};
    while (!may_end)
        for (int i = 0; i < 64; i++)
            mine[i]++;
    sched_yield();   /* into the kernel: what was sent before may_end comes by then. (If the next way there were libc's to block all signals, it would be lost.) */
    return p;
}

static void threads_end(void)
{
    signal(SIGUSR1, adds);
    handled = 0;
    for (int i = 0; i < THREADS; i++) {
        pthread_t t;
        may_end = false;
        pthread_create(&t, NULL, ends, NULL);
        if (i % 2)
            usleep(100);
        pthread_kill(t, SIGUSR1);
        may_end = true;
        pthread_join(t, NULL);
    }
    must(handled == THREADS, "none was lost where a thread ended");
}

static void forks(void)
{
    signal(SIGALRM, adds);
    for (int i = 0; i < 5; i++) {
        setitimer(ITIMER_REAL, &often, NULL);
        work(5000);
        pid_t child = fork();
        if (child == 0) {
            handled = 0;
            setitimer(ITIMER_REAL, &often, NULL);
            while (handled < 20)
                work(100);
            _exit(7);
        }
        int status;
        pid_t ended;
        do
            ended = waitpid(child, &status, 0);
        while (ended < 0 && errno == EINTR);
        must(ended == child && WIFEXITED(status) && WEXITSTATUS(status) == 7, "the child saw its own signals");
    }
    setitimer(ITIMER_REAL, &never, NULL);
    signal(SIGALRM, SIG_DFL);
}

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
static void interrupts(void)
{
    struct itimerval soon = {{0, 0}, {0, 2000}};
    char c;
    siginterrupt(SIGALRM, 1);
    signal(SIGALRM, adds);
    setitimer(ITIMER_REAL, &soon, NULL);
    must(read(fds[0], &c, 1) == -1 && errno == EINTR, "read was interrupted");
    siginterrupt(SIGALRM, 0);
    struct sigaction now;
    must(sigaction(SIGALRM, NULL, &now) == 0 && now.sa_handler == adds && now.sa_flags & SA_RESTART, "and would not be any more");
    must(signal(SIGALRM, SIG_DFL) == adds, "whose handler it was");
}

static void sets(void)
{
    must(sigset(SIGUSR2, adds) == SIG_DFL && sigset(SIGUSR2, SIG_HOLD) == adds && sigset(SIGUSR2, SIG_HOLD) == SIG_HOLD, "sigset");
    handled = 0;
    raise(SIGUSR2);
    must(handled == 0, "held");
    must(sigset(SIGUSR2, adds) == SIG_HOLD && handled == 1, "no longer held");
    must(sigset(SIGUSR2, SIG_DFL) == adds, "back");
    must(signal(-1, adds) == SIG_ERR && errno == EINVAL && signal(1000, adds) == SIG_ERR && sigset(0, adds) == SIG_ERR, "no such signal");
}

int main(void)
{
    hands_on();
    queues();
    once();
    threads_end();
    forks();
    interrupts();
    sets();
    puts("all done");
    return 0;
}
