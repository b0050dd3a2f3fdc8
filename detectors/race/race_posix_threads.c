/* POSIX threads: their beginning and end, and pthread_once. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>

#include "race_alloc.h"
#include "race_libc.h"
#include "race_shadow.h"

int __real_pthread_create(pthread_t *t, const pthread_attr_t *attr, void *(*fn)(void *), void *arg);
int __real_pthread_join(pthread_t t, void **result);

struct start {
    void *(*fn)(void *);
    void *arg;
    struct race_g *g;
};

/* The end of a thread: what it did is there for who joins it. */
static void thread_ends(void *arg)
{
    race_release(arg, (void *)pthread_self());
    race_cur_tls = &race_ignored;   /* destructors of other keys may still run */
    race_g_end(arg);
}

static pthread_key_t end_key;
static void make_end_key(void)
{
    pthread_key_create(&end_key, thread_ends);
}

static void *thread_main(void *p)
{
    struct start s = *(struct start *)p;
    race_free(p, sizeof s);
    pthread_attr_t attr;
    void *lo = NULL;
    size_t n = 0;
    race_cur_tls = &race_ignored;
    if (pthread_getattr_np(pthread_self(), &attr) == 0) {
        pthread_attr_getstack(&attr, &lo, &n);
        pthread_attr_destroy(&attr);
        shadow_clear((uintptr_t)lo, n);   /* another thread's before */
    }
    s.g->who->stack_lo = (uintptr_t)lo;
    s.g->who->stack_hi = (uintptr_t)lo + n;
    pthread_setspecific(end_key, s.g);
    race_cur_tls = s.g;
    return s.fn(s.arg);
}

int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct race_g *me = race_cur();
    if (me == &race_ignored)
        return __real_pthread_create(t, attr, fn, arg);
    race_ignore_begin();
    pthread_once(&once, make_end_key);
    race_ignore_end();
    struct start *s = race_alloc(sizeof *s);
    *s = (struct start){fn, arg, race_g_new(me)};
    s->g->is_thread = true;
    s->g->who->parent_id = me->who->id;
    s->g->who->create_node = me->node->id;
    s->g->who->create_pc = PC;
    s->g->who->fn = (uintptr_t)fn;
    struct race_g *child = s->g;
    int err = __real_pthread_create(t, attr, thread_main, s);
    if (err) {
        race_g_end(child);
        race_free(s, sizeof *s);
    }
    return err;
}

int __wrap_pthread_join(pthread_t t, void **result)
{
    int err = __real_pthread_join(t, result);
    if (err == 0 && is_on()) {
        race_acquire(race_cur(), (void *)t);
        race_sync_forget((uintptr_t)t, 8);   /* the next thread may get this identity */
    }
    return err;
}

/* All that the initializer did happens before every return of pthread_once. */
static _Thread_local struct {
    void (*fn)(void);
    pthread_once_t *once;
} once_call;

static void once_main(void)
{
    pthread_once_t *once = once_call.once;
    once_call.fn();
    race_release_merge(race_cur(), once);
}

int __real_pthread_once(pthread_once_t *once, void (*fn)(void));
int __wrap_pthread_once(pthread_once_t *once, void (*fn)(void))
{
    if (!is_on())
        return __real_pthread_once(once, fn);
    void (*outer_fn)(void) = once_call.fn;
    pthread_once_t *outer_once = once_call.once;
    once_call.fn = fn;
    once_call.once = once;
    int err = __real_pthread_once(once, once_main);
    once_call.fn = outer_fn;
    once_call.once = outer_once;
    race_acquire(race_cur(), once);
    return err;
}
