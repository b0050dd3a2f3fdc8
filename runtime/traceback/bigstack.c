/* Stacks for what needs more than a goroutine has. See bigstack.h. */
#define _GNU_SOURCE
#include "bigstack.h"

#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>

enum { BIG_STACK_BYTES = 8 << 20 };

void (*tb_thread_wrap)(bool begin);

struct task {
    void (*fn)(void *);
    void *arg;
};

static void wrap(bool begin)
{
    if (tb_thread_wrap)
        tb_thread_wrap(begin);
}

static void *big_stack_main(void *p)
{
    struct task *t = p;
    wrap(true);
    t->fn(t->arg);
    return NULL;
}

/* On this thread, with another stack; callers take turns. */
static struct task *call;

static void call_main(void)
{
    call->fn(call->arg);
}

static bool call_here(struct task *t)
{
    static char *stack;
    static ucontext_t here, there;
    if (!stack) {
        void *p = mmap(NULL, BIG_STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (p == MAP_FAILED)
            return false;
        mprotect(p, 4096, PROT_NONE);
        stack = p;
    }
    if (getcontext(&there) != 0)
        return false;
    there.uc_stack.ss_sp = stack;
    there.uc_stack.ss_size = BIG_STACK_BYTES;
    there.uc_link = &here;
    call = t;
    makecontext(&there, call_main, 0);
    return swapcontext(&here, &there) == 0;
}

/* Who gets it done: the other thread, if it gets past the loader's locks; else this one, which has them. */
enum { LOADER_UNKNOWN, LOADER_FREE, LOADER_LOCKED };
struct errand {
    struct task task;
    atomic_int loader;
};

static int no_more(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)info;
    (void)size;
    (void)arg;
    return 1;
}

static void *errand_main(void *p)
{
    struct errand *e = p;
    int expected = LOADER_UNKNOWN;
    wrap(true);
    dl_iterate_phdr(no_more, NULL);
    void *program = dlopen(NULL, RTLD_LAZY | RTLD_NOLOAD);
    if (program)
        dlclose(program);
    if (atomic_compare_exchange_strong(&e->loader, &expected, LOADER_FREE))
        e->task.fn(e->task.arg);
    else
        free(e);   /* nobody waits for us */
    return NULL;
}

void tb_run_within_loader(void (*fn)(void *), void *arg)
{
    enum { STEP_NS = 20000, PATIENCE_NS = 2000000000 };
    pthread_t thread;
    pthread_attr_t attr;
    struct errand *e = malloc(sizeof *e);
    int expected = LOADER_UNKNOWN;
    if (!e) {
        tb_run_on_big_stack(fn, arg);
        return;
    }
    e->task = (struct task){fn, arg};
    atomic_init(&e->loader, LOADER_UNKNOWN);
    wrap(true);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, BIG_STACK_BYTES);
    bool made = pthread_create(&thread, &attr, errand_main, e) == 0;
    pthread_attr_destroy(&attr);
    struct timespec begin, now;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    do {
        nanosleep(&(struct timespec){.tv_nsec = STEP_NS}, NULL);
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (made && atomic_load(&e->loader) == LOADER_UNKNOWN && (now.tv_sec - begin.tv_sec) * 1000000000 + now.tv_nsec - begin.tv_nsec < PATIENCE_NS);
    if (made && !atomic_compare_exchange_strong(&e->loader, &expected, LOADER_LOCKED)) {
        pthread_join(thread, NULL);
    } else {
        struct task t = {fn, arg};
        if (made)
            pthread_detach(thread);
        if (!call_here(&t))
            fn(arg);
    }
    if (!made || expected == LOADER_FREE)
        free(e);
    wrap(false);
}

bool tb_start_on_big_stack(void (*fn)(void *), void *arg)
{
    static struct task t;   /* one at a time: see symbolize.h */
    t = (struct task){fn, arg};
    pthread_attr_t attr;
    pthread_t thread;
    wrap(true);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, BIG_STACK_BYTES);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    bool made = pthread_create(&thread, &attr, big_stack_main, &t) == 0;
    pthread_attr_destroy(&attr);
    wrap(false);
    return made;
}

void tb_run_on_big_stack(void (*fn)(void *), void *arg)
{
    struct task t = {fn, arg};
    pthread_attr_t attr;
    pthread_t thread;
    wrap(true);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, BIG_STACK_BYTES);
    bool made = pthread_create(&thread, &attr, big_stack_main, &t) == 0;
    pthread_attr_destroy(&attr);
    if (made)
        pthread_join(thread, NULL);
    else
        fn(arg);
    wrap(false);
}
