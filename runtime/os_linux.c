/* Linux. See os.h for the contract. */
#define _GNU_SOURCE
#include "os.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "hooks.h"

#ifndef SYS_process_madvise
#define SYS_process_madvise 440
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

int64_t os_now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static struct timespec timespec_of(int64_t ns)
{
    return (struct timespec){.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
}

void os_nanosleep(int64_t ns)
{
    struct timespec ts = timespec_of(ns);
    syscall(SYS_nanosleep, &ts, NULL);
}

void os_thread_yield(void)
{
    syscall(SYS_sched_yield);
}

int os_ncpu(void)
{
    static atomic_int ncpu;
    int n = atomic_load_explicit(&ncpu, memory_order_relaxed);   /* any thread computes the same */
    if (n == 0) {
        cpu_set_t set;
        n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : (int)sysconf(_SC_NPROCESSORS_ONLN);
        n = n < 1 ? 1 : n;
        atomic_store_explicit(&ncpu, n, memory_order_relaxed);
    }
    return n;
}

uint32_t os_tid(void)
{
    return (uint32_t)syscall(SYS_gettid);
}

uint32_t os_pid(void)
{
    return (uint32_t)syscall(SYS_getpid);
}

/* By the kernel's own count. A listing of /proc/self/task ends early when a thread ends at the wrong moment. */
int os_thread_count(void)
{
    char buf[4096];
    int saved = errno, n = -1;
    int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        ssize_t got = syscall(SYS_read, fd, buf, sizeof buf - 1);
        syscall(SYS_close, fd);
        buf[got > 0 ? got : 0] = 0;
        const char *line = strstr(buf, "\nThreads:");
        if (line)
            n = atoi(line + sizeof "\nThreads:" - 1);
    }
    errno = saved;
    return n;
}

/* errno belongs to the goroutine: what waits or maps on its behalf leaves it as it was. */
void os_futex_wait(atomic_uint *word, unsigned expected, int64_t timeout_ns)
{
    int saved = errno;
    struct timespec ts = timespec_of(timeout_ns < 0 ? 0 : timeout_ns);
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, timeout_ns < 0 ? NULL : &ts, NULL, 0);
    errno = saved;
}

void os_futex_wake(atomic_uint *word, int count)
{
    int saved = errno;
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
    errno = saved;
}

struct start {
    void (*fn)(void *);
    void *arg;
};

static void *thread_main(void *p)
{
    hook_switch(NULL);   /* first of all: a thread of the runtime is no goroutine */
    struct start s = *(struct start *)p;
    free(p);
    s.fn(s.arg);
    return NULL;
}

int os_thread_start(void (*fn)(void *), void *arg, size_t stack_bytes)
{
    hook_ignore_begin();
    struct start *s = malloc(sizeof *s);
    int err = ENOMEM;
    if (s) {
        *s = (struct start){fn, arg};
        pthread_attr_t attr;
        pthread_t thread;
        pthread_attr_init(&attr);
        pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
        pthread_attr_setstacksize(&attr, stack_bytes);
        err = pthread_create(&thread, &attr, thread_main, s);
        pthread_attr_destroy(&attr);
        if (err)
            free(s);
    }
    hook_ignore_end();
    return -err;
}

void *os_map(size_t bytes)
{
    int saved = errno;
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    errno = saved;
    return p == MAP_FAILED ? NULL : p;
}

void os_unmap(void *p, size_t bytes)
{
    int saved = errno;
    munmap(p, bytes);
    errno = saved;
}

int os_guard(void *p, size_t bytes)
{
    static atomic_bool no_guard_install;   /* relaxed: a late reader only tries once more */
    int saved = errno, err = 0;
    if (atomic_load_explicit(&no_guard_install, memory_order_relaxed) || madvise(p, bytes, MADV_GUARD_INSTALL) != 0) {
        atomic_store_explicit(&no_guard_install, true, memory_order_relaxed);
        err = mprotect(p, bytes, PROT_NONE) == 0 ? 0 : -errno;
    }
    errno = saved;
    return err;
}

/* madvise on many pieces of this process at once (Linux 6.15). False: not to be had. */
static bool advise_pieces(const struct iovec *pieces, unsigned n, int advice)
{
    static atomic_bool missing;   /* relaxed: a late reader only tries once more */
    enum { SELF = -10000 /* PIDFD_SELF */ };
    if (atomic_load_explicit(&missing, memory_order_relaxed))
        return false;
    int saved = errno;
    size_t bytes = 0;
    for (unsigned i = 0; i < n; i++)
        bytes += pieces[i].iov_len;
    long r = syscall(SYS_process_madvise, SELF, pieces, n, advice, 0);
    if (r < 0)
        atomic_store_explicit(&missing, true, memory_order_relaxed);
    errno = saved;
    return r == (long)bytes;
}

static bool advise_many(char *p, size_t stride, unsigned n, size_t bytes, int advice)
{
    struct iovec pieces[OS_PIECES];
    bool ok = true;
    for (unsigned done = 0; ok && done < n;) {
        unsigned k = 0;
        for (; k < OS_PIECES && done + k < n; k++)
            pieces[k] = (struct iovec){p + (done + k) * stride, bytes};
        ok = advise_pieces(pieces, k, advice);
        done += k;
    }
    return ok;
}

int os_guard_many(char *p, size_t stride, unsigned n, size_t bytes)
{
    if (n > 1 && advise_many(p, stride, n, bytes, MADV_GUARD_INSTALL))
        return 0;
    int err = 0;
    for (unsigned i = 0; i < n && err == 0; i++)
        err = os_guard(p + i * stride, bytes);
    return err;
}

void os_commit_many(char *p, size_t stride, unsigned n, size_t bytes)
{
    static atomic_bool missing;
    if (!atomic_load_explicit(&missing, memory_order_relaxed) && !advise_many(p, stride, n, bytes, MADV_POPULATE_WRITE))
        atomic_store_explicit(&missing, true, memory_order_relaxed);
}

void os_discard(void *p, size_t bytes)
{
    int saved = errno;
    madvise(p, bytes, MADV_DONTNEED);
    errno = saved;
}

void os_discard_many(const struct iovec *pieces, unsigned n)
{
    if (n > 1 && advise_pieces(pieces, n, MADV_DONTNEED))
        return;
    for (unsigned i = 0; i < n; i++)
        os_discard(pieces[i].iov_base, pieces[i].iov_len);
}

bool os_is_resident(void *p)
{
    unsigned char there = 0;
    int saved = errno;
    bool ok = mincore(p, OS_PAGE, &there) == 0;
    errno = saved;
    return ok && there & 1;
}

static bool membarrier_registered(void)
{
    return syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
}

bool os_membarrier(void)
{
    static atomic_int state;   /* 0 unknown, 1 registered, -1 not to be had */
    int saved = errno, s = atomic_load_explicit(&state, memory_order_acquire);
    if (s == 0) {
        s = membarrier_registered() ? 1 : -1;
        atomic_store_explicit(&state, s, memory_order_release);
    }
    /* A forked child registers again, if the kernel wants it. */
    bool done = s == 1 && (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0 ||
                           (membarrier_registered() && syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0));
    errno = saved;
    return done;
}

void os_sleep_exactly(void)
{
    prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
}

static sigset_t kept_mask;

void os_keep_signal_mask(void)
{
    pthread_sigmask(SIG_SETMASK, NULL, &kept_mask);
}

void os_take_signal_mask(void)
{
    pthread_sigmask(SIG_SETMASK, &kept_mask, NULL);
}

void os_block_signals(void)
{
    sigset_t set;
    sigfillset(&set);
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT};
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        sigdelset(&set, faults[i]);
    pthread_sigmask(SIG_SETMASK, &set, NULL);
}

void os_thread_stack(uintptr_t *lo, uintptr_t *hi)
{
    pthread_attr_t attr;
    void *addr = NULL;
    size_t size = 0;
    hook_ignore_begin();
    if (pthread_getattr_np(pthread_self(), &attr) == 0) {
        pthread_attr_getstack(&attr, &addr, &size);
        pthread_attr_destroy(&attr);
    }
    hook_ignore_end();
    *lo = (uintptr_t)addr;
    *hi = (uintptr_t)addr + size;
}

bool os_peek(void *to, const void *from, size_t n)
{
    struct iovec local = {to, n}, remote = {(void *)(uintptr_t)from, n};
    /* Longs: the last one lies on the stack, where an int leaves the upper half to chance. */
    return syscall(SYS_process_vm_readv, (long)os_pid(), &local, 1l, &remote, 1l, 0l) == (long)n;
}

void os_write(int fd, const void *p, size_t n)
{
    const char *s = p;
    while (n > 0) {
        ssize_t k = syscall(SYS_write, fd, s, n);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return;
        s += k;
        n -= (size_t)k;
    }
}
