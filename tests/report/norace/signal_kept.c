/* What the kernel grants a program's handlers holds where signals find the detector at work, too: which stack they run on, what they make of the mask, that a
 * signal to oneself is handled at once, that none is lost to a handler that jumps out, or to another mask. And no access is left out. */
// expect: all done
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
#define _GNU_SOURCE
#include "race_test.h"
#include "signal_work.h"
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>
#ifdef __clang__
#pragma GCC diagnostic ignored "-Watomic-alignment"
#endif

enum { N = 1 << 13, QUEUED = 1500, TURNS = 100, STACK = 1 << 20 };
static atomic_int came;

static void must(bool so, const char *what)
{
    if (!so) {
        printf("not so: %s (errno %d)\n", what, errno);
        exit(1);
    }
}

static void install(int s, void (*fn)(int, siginfo_t *, void *), int flags)
{
    struct sigaction a = {.sa_sigaction = fn, .sa_flags = SA_SIGINFO | flags};
    must(sigaction(s, &a, NULL) == 0, "installed");
}

static timer_t every(int s, long us)
{
    timer_t t;
    struct sigevent e = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = s};
    e._sigev_un._tid = (pid_t)syscall(SYS_gettid);
    struct itimerspec in = {.it_interval.tv_nsec = us * 1000, .it_value.tv_nsec = 1000};
    must(timer_create(CLOCK_MONOTONIC, &e, &t) == 0 && timer_settime(t, 0, &in, NULL) == 0, "a timer");
    return t;
}

/* ---- no access is left out while others come ---- */

static atomic_char ready[N];
static int data[N];

static void accesses(int s, siginfo_t *info, void *context)
{
    (void)s;
    (void)info;
    (void)context;
    came++;
    for (int i = 0; i < 10; i++)
        numbers[(came * 20 + i * 2) % NUMBERS]++;
}

static void *follows(void *p)
{
    long sum = 0;
    for (int i = 0; i < N; i++) {
        while (!atomic_load_explicit(&ready[i], memory_order_acquire))
            sched_yield();
        sum += data[i];
    }
    must(sum == (long)N * (N - 1) / 2, "all was seen");
    return p;
}

static void many(void)
{
    static const int signals[] = {SIGUSR1, SIGUSR2, SIGHUP, SIGVTALRM, SIGPROF, SIGURG};
    enum { SIGNALS = sizeof signals / sizeof signals[0] };
    timer_t timers[SIGNALS];
    sigset_t all, was;
    pthread_t t;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &was);
    pthread_create(&t, NULL, follows, NULL);
    pthread_sigmask(SIG_SETMASK, &was, NULL);
    for (int i = 0; i < SIGNALS; i++) {
        install(signals[i], accesses, 0);
        timers[i] = every(signals[i], 150 + i);
    }
    for (int i = 0; i < N; i++) {
        data[i] = i;
        atomic_store_explicit(&ready[i], 1, memory_order_release);
    }
    for (int i = 0; i < SIGNALS; i++)
        timer_delete(timers[i]);
    pthread_join(t, NULL);
}

/* ---- an atomic that is not aligned ---- */

static struct __attribute__((packed)) {
    short before;
    int a;
} odd __attribute__((aligned(8)));

static int add_odd(void)
{
    return __atomic_fetch_add((int *)((char *)&odd + 2), 1, __ATOMIC_SEQ_CST);
}

static void adds_odd(int s, siginfo_t *info, void *context)
{
    (void)s;
    (void)info;
    (void)context;
    add_odd();
    came++;
}

static void not_aligned(void)
{
    install(SIGUSR1, adds_odd, 0);
    timer_t t = every(SIGUSR1, 50);
    for (came = 0; came < 1000;)
        add_odd();
    timer_delete(t);
}

/* ---- an atomic of any size, with which libc copies ---- */

struct s3 {
    char c[3];
};
static struct {
    struct s3 three;
    char next;
} word __attribute__((aligned(4)));

static void adds_next(int s, siginfo_t *info, void *context)
{
    (void)s;
    (void)info;
    (void)context;
    __atomic_fetch_add(&word.next, 1, __ATOMIC_SEQ_CST);
    came++;
}

static void any_size(void)
{
    struct s3 one = {{1, 1, 1}}, was, other;
    install(SIGUSR1, adds_next, 0);
    timer_t t = every(SIGUSR1, 50);
    for (came = 0; came < 1000;) {
        __atomic_load(&word.three, &was, __ATOMIC_SEQ_CST);
        __atomic_store(&word.three, &one, __ATOMIC_RELEASE);
        other = one;
        must(__atomic_compare_exchange(&word.three, &other, &was, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST), "alone with it");
    }
    timer_delete(t);
}

/* ---- queued ones: by a handler that jumps, by one that returns, or by sigtimedwait; all in order ---- */

static sigjmp_buf env;
static volatile bool jumps;

static void in_order(const siginfo_t *info)
{
    must(info->si_code == SI_QUEUE, "as it was sent");
    must(info->si_value.sival_int == came, "in order");
    came++;
}

static void leaves(int s, siginfo_t *info, void *context)
{
    (void)s;
    (void)context;
    in_order(info);
    if (jumps && came % 3 == 0)
        siglongjmp(env, 1);
}

static void *sends(void *to)
{
    for (int i = 0; i < QUEUED; i++) {
        union sigval v = {.sival_int = i};
        while (pthread_sigqueue(*(pthread_t *)to, SIGRTMIN, v) == EAGAIN)
            usleep(100);
        while (i - came > 200 || (i > QUEUED / 2 && i - came > 4))   /* the detector keeps 256 */
            usleep(20);
    }
    return NULL;
}

static void queued(bool jumping)
{
    sigset_t its;
    sigemptyset(&its);
    sigaddset(&its, SIGRTMIN);
    static pthread_t me;
    me = pthread_self();
    install(SIGRTMIN, leaves, 0);
    came = 0;
    static pthread_t t;
    static bool begun;
    begun = false;
    sigsetjmp(env, 1);
    if (!begun) {
        begun = true;
        pthread_create(&t, NULL, sends, &me);
        jumps = jumping;   /* not out of pthread_create */
    }
    while (came < QUEUED) {
        work(50);
        if (jumping)
            continue;
        siginfo_t info;
        struct timespec no_time = {0, 0};
        pthread_sigmask(SIG_BLOCK, &its, NULL);
        while (sigtimedwait(&its, &info, &no_time) == SIGRTMIN)
            in_order(&info);
        pthread_sigmask(SIG_UNBLOCK, &its, NULL);
    }
    jumps = false;
    pthread_join(t, NULL);
    work(10000);
    must(came == QUEUED, "none came twice");
}

/* ---- the stack; the mask; at once ---- */

static char *stack;
static void looks_at_stack(int s, siginfo_t *info, void *context)
{
    (void)s;
    (void)info;
    (void)context;
    stack_t now;
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    must(here > (uintptr_t)stack && here < (uintptr_t)stack + STACK, "on its stack");
    must(sigaltstack(NULL, &now) == 0 && (now.ss_flags & SS_ONSTACK), "and the kernel knows");
    came++;
}

static void other_stack(void)
{
    stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    stack_t new = {.ss_sp = stack, .ss_size = STACK}, none = {.ss_flags = SS_DISABLE};
    must(sigaltstack(&new, NULL) == 0, "a stack");
    install(SIGUSR1, looks_at_stack, SA_ONSTACK);
    timer_t t = every(SIGUSR1, 100);
    for (came = 0; came < TURNS * 3;)
        work(1000);
    timer_delete(t);
    work(10000);
    sigset_t its;
    sigemptyset(&its);
    sigaddset(&its, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &its, NULL);
    sigaltstack(&none, NULL);
}

static void blocks_itself(int s, siginfo_t *info, void *context)
{
    (void)info;
    sigset_t *mask = &((ucontext_t *)context)->uc_sigmask;
    must(!sigismember(mask, s), "the mask of what was interrupted");
    sigaddset(mask, s);
    came++;
}

static void mask_of_context(void)
{
    sigset_t its, now;
    sigemptyset(&its);
    sigaddset(&its, SIGUSR1);
    install(SIGUSR1, blocks_itself, 0);
    timer_t t = every(SIGUSR1, 100);
    for (int i = 0; i < TURNS; i++) {
        came = 0;
        pthread_sigmask(SIG_UNBLOCK, &its, NULL);
        while (came == 0)
            work(100);
        work(1000);
        must(came == 1 && pthread_sigmask(SIG_BLOCK, NULL, &now) == 0 && sigismember(&now, SIGUSR1), "blocked by its handler");
    }
    timer_delete(t);
}

static void counts(int s, siginfo_t *info, void *context)
{
    (void)s;
    (void)info;
    (void)context;
    came++;
}

/* Deep in the stack lie old words of the detector's own calls. */
static __attribute__((noinline)) void sends_itself(int i)
{
    char room[400];
    *(volatile char *)&room[i & 255] = 1;
    work(3);
    came = 0;
    syscall(SYS_tgkill, getpid(), (pid_t)syscall(SYS_gettid), SIGUSR2);
    must(came == 1, "handled before syscall returned");
}

int main(void)
{
    alarm(120);
    many();
    not_aligned();
    any_size();
    queued(true);
    queued(false);
    other_stack();
    mask_of_context();
    install(SIGUSR2, counts, 0);
    for (int i = 0; i < TURNS * 10; i++)
        sends_itself(i);
    puts("all done");
    return 0;
}
