/* POSIX and C11 threads: their beginning and end, pthread_once, fork.
 *
 * Each thread that is made while the detector is on has a record until it is joined or, detached, has ended. Joining takes over all that the
 * thread ever did, the destructors of its thread-local data included: the kernel has told that it is gone, so its race_g can be read and
 * ended by whoever joined it. A detached thread ends its race_g itself, in the last round of destructors.
 *
 * The maker learns the thread's identity from pthread_create, the thread from pthread_self; whoever is first lists the record (both may be
 * needed: the thread may detach itself before pthread_create returns, the maker may detach it before it runs). */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <threads.h>
#include <unistd.h>

#include "race_alloc.h"
#include "race_deferred.h"
#include "race_fds.h"
#include "race_libc.h"
#include "race_locks.h"
#include "race_real.h"
#include "race_shadow.h"
#include "race_spin.h"
#include "race_sync.h"

/* (l) under lock */
struct thread {
    struct thread *next;     /* (l) in its bucket */
    pthread_t id;            /* (l) */
    struct race_g *g;        /* of the thread; of nobody once it is unlisted */
    void *(*fn)(void *);
    int (*fn_c11)(void *);
    void *arg;
    bool listed, detached, ended;   /* (l) */
    unsigned refs;           /* (l) the list, the maker until it has listed it, the thread until it ends */
    int rounds;              /* of destructors, seen by the thread itself */
    bool starts_blocked;     /* until it is checked no signal comes; then this is its mask */
    sigset_t mask;
};

enum { BUCKETS = 1024 };
static atomic_flag lock;
static struct thread *buckets[BUCKETS];

static void table_lock(void)
{
    race_spin_lock(&lock);
}

static void table_unlock(void)
{
    race_spin_unlock(&lock);
}

static struct thread **bucket_of(pthread_t id)
{
    return &buckets[((uintptr_t)id * 0x9e3779b97f4a7c15u) >> 54];
}

/* The latest of that identity: what comes before it in time may be joined already, but not yet unlisted by its joiner. */
static struct thread *find_locked(pthread_t id)
{
    struct thread *t = *bucket_of(id);
    while (t && t->id != id)
        t = t->next;
    return t;
}

static void unref_locked(struct thread *t)
{
    if (--t->refs == 0)
        race_free(t, sizeof *t);
}

static void unlist_locked(struct thread *t)
{
    struct thread **place = bucket_of(t->id);
    while (*place != t)
        place = &(*place)->next;
    *place = t->next;
    unref_locked(t);
}

/* A record that its thread or its maker lists, whoever comes first. */
static void list(struct thread *t, pthread_t id)
{
    table_lock();
    if (!t->listed) {
        t->listed = true;
        t->id = id;
        t->next = *bucket_of(id);
        *bucket_of(id) = t;
        t->refs++;
    }
    table_unlock();
}

/* ---- the end ---- */

const uint64_t race_ended_threads;
static pthread_key_t end_key;
static bool has_end_key;
static pthread_once_t end_key_once = PTHREAD_ONCE_INIT;

/* Destructors of other keys may run after this one and come round again: it waits for the last round. */
static void thread_ends(void *arg)
{
    struct thread *t = arg;
    race_in_call = 0;   /* it may have been cancelled in one */
    if (has_end_key && ++t->rounds < PTHREAD_DESTRUCTOR_ITERATIONS && pthread_setspecific(end_key, t) == 0)
        return;
    race_signal_thread_ends();
    race_release_merge(t->g, &race_ended_threads);
    const struct race_who *who = t->g->who;
    race_lock_gone(t->g, who->stack_lo, who->stack_hi - who->stack_lo, LOCK_STACK_ENDED, 0);
    table_lock();
    t->ended = true;
    bool alone = t->detached;
    struct race_g *g = t->g;
    if (alone)
        unlist_locked(t);
    unref_locked(t);
    table_unlock();
    if (alone || !has_end_key)
        race_cur_tls = &race_ignored;
    if (alone)
        race_g_end(g);
    race_sync_thread_end();
    race_alloc_thread_end();
    bias_thread_end();
}

static void make_end_key(void)
{
    has_end_key = pthread_key_create(&end_key, thread_ends) == 0;
}

int __cxa_thread_atexit_impl(void (*fn)(void *), void *arg, void *object);   /* libc's, for C++ */

/* A program that has used up all keys has its threads end for the detector before the destructors of its keys, which are not checked then. */
static void call_at_end(struct thread *t)
{
    if (has_end_key)
        pthread_setspecific(end_key, t);
    else
        __cxa_thread_atexit_impl(thread_ends, t, &end_key);
}

/* Before the real join: once that has returned, the identity may be another thread's. */
static struct thread *to_join(pthread_t id)
{
    table_lock();
    struct thread *t = find_locked(id);
    table_unlock();
    return t;
}

/* The thread is gone for good: what it did happens before what the caller does now. */
static void joined(struct thread *t)
{
    if (!t)
        return;
    table_lock();
    struct race_g *g = t->g;
    unlist_locked(t);
    table_unlock();
    race_release(g, g);
    race_acquire(race_cur(), g);
    race_sync_forget((uintptr_t)g, sizeof(void *));
    race_g_end(g);
}

/* ---- the beginning ---- */

/* On the thread. Its stack was another's before. */
static void begin(struct thread *t)
{
    pthread_attr_t attr;
    void *lo = NULL;
    size_t n = 0;
    if (pthread_getattr_np(pthread_self(), &attr) == 0) {
        pthread_attr_getstack(&attr, &lo, &n);
        pthread_attr_destroy(&attr);
        shadow_clear((uintptr_t)lo, n);
    }
    t->g->who->stack_lo = (uintptr_t)lo;
    t->g->who->stack_hi = (uintptr_t)lo + n;
    list(t, pthread_self());
    call_at_end(t);
}

void race_thread_attached(struct race_g *g)
{
    REAL(pthread_once)(&end_key_once, make_end_key);
    struct thread *t = race_alloc(sizeof *t);
    t->g = g;
    t->detached = true;
    t->refs = 1;
    begin(t);
}

static void *gort_race_thread_main(void *p)
{
    struct thread *t = p;
    sigset_t mask = t->mask;
    bool starts_blocked = t->starts_blocked;
    race_cur_tls = &race_ignored;
    t->g->who->tid = (uint32_t)syscall(SYS_gettid);
    t->g->who->tp = (uintptr_t)__builtin_thread_pointer();
    begin(t);
    race_cur_tls = t->g;
    if (starts_blocked)
        pthread_sigmask(SIG_SETMASK, &mask, NULL);
    return t->fn_c11 ? (void *)(intptr_t)t->fn_c11(t->arg) : t->fn(t->arg);
}

static void *gort_race_unchecked_main(void *p)
{
    struct thread t = *(struct thread *)p;
    race_free(p, sizeof t);
    race_cur_tls = &race_ignored;
    return t.fn_c11 ? (void *)(intptr_t)t.fn_c11(t.arg) : t.fn(t.arg);
}

static atomic_bool is_forked;   /* of several threads: see fork() */

/* A signal may come before the thread's first instruction of ours; its handler would belong to nobody, and nothing would happen before it. So the thread
 * is made with all signals blocked, unless its attributes, or the default ones, have a mask. */
static bool block_signals(struct thread *t, const pthread_attr_t *attr)
{
    sigset_t all;
#if __GLIBC_PREREQ(2, 32)
    pthread_attr_t usual;
    bool is_usual = !attr && pthread_getattr_default_np(&usual) == 0;
    bool has_mask = (attr || is_usual) && pthread_attr_getsigmask_np(attr ? attr : &usual, &all) == 0;
    if (is_usual)
        pthread_attr_destroy(&usual);
    if (has_mask)
        return false;
#endif
    sigfillset(&all);
    return pthread_sigmask(SIG_SETMASK, &all, &t->mask) == 0;
}

/* A thread that makes others can itself be joined later, main included. */
static void list_maker(struct race_g *me)
{
    if (!me->is_thread)
        return;
    pthread_t self = pthread_self();
    table_lock();
    const struct thread *latest = find_locked(self);
    bool known = latest && latest->g == me;
    table_unlock();
    if (known)
        return;
    struct thread *t = race_alloc(sizeof *t);
    t->g = me;
    list(t, self);
}

static int start(pthread_t *id, const pthread_attr_t *attr, const struct thread *what, uintptr_t pc)
{
    struct race_g *me = race_cur();
    struct thread *t = race_alloc(sizeof *t);
    *t = *what;
    if (me == &race_ignored) {
        if (!atomic_load_explicit(&is_forked, memory_order_relaxed)) {
            race_free(t, sizeof *t);
            return REAL(pthread_create)(id, attr, what->fn, what->arg);   /* the runtime's */
        }
        int err = REAL(pthread_create)(id, attr, gort_race_unchecked_main, t);
        if (err)
            race_free(t, sizeof *t);
        return err;
    }
    REAL(pthread_once)(&end_key_once, make_end_key);
    list_maker(me);
    int state = PTHREAD_CREATE_JOINABLE;
    if (attr)
        pthread_attr_getdetachstate(attr, &state);
    t->detached = state == PTHREAD_CREATE_DETACHED;
    writes(id, sizeof *id, pc);   /* before the thread starts, as glibc does */
    t->g = race_g_new(me);
    t->g->is_thread = true;
    struct race_who *w = t->g->who;
    w->parent_id = me->who->id;
    w->create_node = me->node->id;
    w->create_pc = pc;
    w->fn = what->fn_c11 ? (uintptr_t)what->fn_c11 : (uintptr_t)what->fn;
    t->refs = 2;
    pthread_t made;
    bool blocked = t->starts_blocked = block_signals(t, attr);
    sigset_t mask = t->mask;
    int err = REAL(pthread_create)(&made, attr, gort_race_thread_main, t);
    if (blocked)
        pthread_sigmask(SIG_SETMASK, &mask, NULL);
    if (err) {
        race_g_end(t->g);
        race_free(t, sizeof *t);
        return err;
    }
    *id = made;
    list(t, made);
    table_lock();
    unref_locked(t);
    table_unlock();
    return 0;
}

INTERPOSE int pthread_create(pthread_t *id, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
    return start(id, attr, &(struct thread){.fn = fn, .arg = arg}, race_called_at(PC));
}

/* ---- waiting for the end ---- */

static int join_result(struct thread *t, void **result, int err, uintptr_t pc)
{
    if (err == 0) {
        joined(t);
        if (result)
            writes(result, sizeof *result, pc);
    }
    return err;
}

#define JOIN(id, result, call)                                                                                                                     \
    ({                                                                                                                                             \
        struct thread *joins = to_join(id);                                                                                                        \
        join_result(joins, result, call, PC);                                                                                                      \
    })

INTERPOSE int pthread_join(pthread_t t, void **result)
{
    return JOIN(t, result, BLOCKING(REAL(pthread_join)(t, result)));
}

INTERPOSE int pthread_tryjoin_np(pthread_t t, void **result)
{
    return JOIN(t, result, REAL(pthread_tryjoin_np)(t, result));
}

INTERPOSE int pthread_timedjoin_np(pthread_t t, void **result, const struct timespec *until)
{
    return JOIN(t, result, BLOCKING(REAL(pthread_timedjoin_np)(t, result, until)));
}

INTERPOSE int pthread_clockjoin_np(pthread_t t, void **result, clockid_t clock, const struct timespec *until)
{
    return JOIN(t, result, BLOCKING(REAL(pthread_clockjoin_np)(t, result, clock, until)));
}

INTERPOSE int pthread_detach(pthread_t id)
{
    struct race_g *over = NULL;
    table_lock();
    struct thread *t = find_locked(id);
    if (t) {
        t->detached = true;
        if (t->ended) {
            over = t->g;
            unlist_locked(t);
        }
    }
    table_unlock();
    int err = REAL(pthread_detach)(id);
    if (over)
        race_g_end(over);
    return err;
}

/* ---- C11: glibc's threads.h calls its POSIX threads from the inside ---- */

static int c11(int err)
{
    return err == 0 ? thrd_success : err == ENOMEM ? thrd_nomem : err == ETIMEDOUT ? thrd_timedout : err == EBUSY ? thrd_busy : thrd_error;
}

INTERPOSE int thrd_create(thrd_t *id, thrd_start_t fn, void *arg)
{
    return c11(start(id, NULL, &(struct thread){.fn_c11 = fn, .arg = arg}, PC));
}

INTERPOSE int thrd_join(thrd_t t, int *result)
{
    void *r;
    struct thread *joins = to_join(t);
    int err = BLOCKING(REAL(pthread_join)(t, &r));
    if (err == 0) {
        joined(joins);
        if (result) {
            writes(result, sizeof *result, PC);
            *result = (int)(intptr_t)r;
        }
    }
    return c11(err);
}

INTERPOSE int thrd_detach(thrd_t t)
{
    return c11(pthread_detach(t));
}

INTERPOSE _Noreturn void thrd_exit(int result)
{
    pthread_exit((void *)(intptr_t)result);
}

/* ---- once: all that the initializer did happens before every return ---- */

static _Thread_local struct {
    void (*fn)(void);
    const void *once;
} once_call;

static void once_release(const void **once)
{
    race_release(race_cur(), *once);
}

/* The first thing that the real pthread_once does for a caller, if it does it at all. The function may be left by an exception or the thread's end: the
 * next caller begins anew, after that. */
static void gort_race_once_main(void)
{
    __attribute__((cleanup(once_release))) const void *once = once_call.once;
    race_acquire(race_cur(), once);
    once_call.fn();
}

INTERPOSE int pthread_once(pthread_once_t *once, void (*fn)(void))
{
    if (!is_on())
        return REAL(pthread_once)(once, fn);
    once_call.fn = fn;
    once_call.once = once;
    int err = REAL(pthread_once)(once, gort_race_once_main);
    race_acquire(race_cur(), once);
    return err;
}

INTERPOSE void call_once(once_flag *once, void (*fn)(void))
{
    pthread_once((pthread_once_t *)once, fn);   /* the same object in glibc */
}

/* ---- C++: the initialization of a local static object. Compilers load the guard's first byte with acquire order by themselves. An initialization that
 * throws happens before the next attempt. ---- */

int __real___cxa_guard_acquire(void *guard) __attribute__((weak));
void __real___cxa_guard_release(void *guard) __attribute__((weak));
void __real___cxa_guard_abort(void *guard) __attribute__((weak));

int __wrap___cxa_guard_acquire(void *guard)
{
    int mine = BLOCKING(__real___cxa_guard_acquire(guard));
    race_acquire(race_cur(), guard);
    return mine;
}

void __wrap___cxa_guard_abort(void *guard)
{
    race_release(race_cur(), guard);
    __real___cxa_guard_abort(guard);
}

void __wrap___cxa_guard_release(void *guard)
{
    race_release(race_cur(), guard);
    __real___cxa_guard_release(guard);
}

/* ---- fork ---- */

/* The child of a process with one thread is checked as its parent was. Where there are more, one of them may have been within the detector and
 * leaves its locks held in the child: the child is not checked. */
INTERPOSE pid_t fork(void)
{
    struct stat tasks;
    bool alone = stat("/proc/self/task", &tasks) == 0 && tasks.st_nlink == 3;   /* itself, its parent, one thread */
    pid_t pid = REAL(fork)();
    if (pid == 0)
        deferred_forked();
    if (pid == 0 && alone)
        race_fds_forked();
    if (pid == 0 && !alone && is_on()) {
        atomic_store_explicit(&is_forked, true, memory_order_relaxed);
        race_ignore_begin();
    }
    return pid;
}

/* Its child would change what the detector knows of the parent: of its descriptors, its call stack. */
pid_t __wrap_vfork(void)
{
    return fork();
}
