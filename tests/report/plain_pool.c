/* See plain_pool.h. */
#include "plain_pool.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct task {
    struct task *next;
    void (*fn)(void *);
    void *arg;
};

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static struct task *first, **last = &first;
static bool stopping;
static pthread_t threads[16];
static int nthreads;

static void *run(void *p)
{
    pthread_mutex_lock(&m);
    for (;;) {
        while (!first && !stopping)
            pthread_cond_wait(&c, &m);
        struct task *t = first;
        if (!t)
            break;
        first = t->next;
        if (!first)
            last = &first;
        pthread_mutex_unlock(&m);
        t->fn(t->arg);
        free(t);
        pthread_mutex_lock(&m);
    }
    pthread_mutex_unlock(&m);
    return p;
}

void pool_start(int n)
{
    stopping = false;
    for (nthreads = 0; nthreads < n; nthreads++)
        pthread_create(&threads[nthreads], NULL, run, NULL);
}

void pool_submit(void (*fn)(void *), void *arg)
{
    struct task *t = malloc(sizeof *t);
    *t = (struct task){NULL, fn, arg};
    pthread_mutex_lock(&m);
    *last = t;
    last = &t->next;
    pthread_cond_signal(&c);
    pthread_mutex_unlock(&m);
}

void pool_stop(void)
{
    pthread_mutex_lock(&m);
    stopping = true;
    pthread_cond_broadcast(&c);
    pthread_mutex_unlock(&m);
    for (int i = 0; i < nthreads; i++)
        pthread_join(threads[i], NULL);
}

void *pool_alloc(size_t n) { return malloc(n); }
void pool_free(void *p) { free(p); }

struct shared {
    pthread_mutex_t m;
    pthread_cond_t c;
    int refs, uses;
};

struct shared *shared_new(int refs)
{
    struct shared *s = malloc(sizeof *s);
    pthread_mutex_init(&s->m, NULL);
    pthread_cond_init(&s->c, NULL);
    s->refs = refs;
    s->uses = 0;
    return s;
}

void shared_drop(struct shared *s)
{
    pthread_mutex_lock(&s->m);
    s->uses++;
    pthread_mutex_unlock(&s->m);
    pthread_cond_broadcast(&s->c);
    if (__atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL) == 0) {
        pthread_cond_destroy(&s->c);
        pthread_mutex_destroy(&s->m);
        free(s);
    }
}
