/* Locks, conditions and barriers that are initialized before, and destroyed, freed or overwritten after all uses, in the ways that programs do it. */
// absent: DATA RACE
// absent: misuse
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

enum { MANY = 20 };

/* The last one to drop it destroys it. */
struct shared {
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    go_mutex go_mutex;
    go_rwmutex rwmutex;
    int refs, done;
};

static void drop(struct shared *s)
{
    go_mutex_lock(&s->go_mutex);
    go_mutex_unlock(&s->go_mutex);
    go_rwmutex_rlock(&s->rwmutex);
    go_rwmutex_runlock(&s->rwmutex);
    pthread_mutex_lock(&s->mutex);
    bool last = --s->refs == 0;
    struct shared copy = *s;   /* under its lock */
    pthread_mutex_unlock(&s->mutex);
    volatile int seen = copy.refs;
    (void)seen;
    if (!last)
        return;
    pthread_cond_destroy(&s->cond);
    pthread_mutex_destroy(&s->mutex);
    free(s);
}

static void last_reference(void)
{
    for (int round = 0; round < 5; round++) {
        struct shared *s = round % 2 ? calloc(1, sizeof *s) : malloc(sizeof *s);
        memset(s, 0, sizeof *s);
        pthread_mutex_init(&s->mutex, NULL);
        pthread_cond_init(&s->cond, NULL);
        s->refs = MANY;
        for (int i = 0; i < MANY; i++)
            go(drop, s);
        go_sleep(GO_MILLISECOND);
    }
}

/* The waiter destroys what the other signalled under the lock. */
static void *signals(void *arg)
{
    struct shared *s = arg;
    pthread_mutex_lock(&s->mutex);
    s->done = 1;
    pthread_cond_broadcast(&s->cond);
    pthread_mutex_unlock(&s->mutex);
    return NULL;
}
static void condition(void)
{
    for (int i = 0; i < MANY; i++) {
        struct shared s = {.mutex = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER};
        pthread_t t;
        pthread_create(&t, NULL, signals, &s);
        pthread_mutex_lock(&s.mutex);
        while (!s.done)
            pthread_cond_wait(&s.cond, &s.mutex);
        pthread_mutex_unlock(&s.mutex);
        pthread_cond_destroy(&s.cond);
        pthread_mutex_destroy(&s.mutex);
        pthread_join(t, NULL);
    }
}

/* POSIX lets whoever has returned destroy it, though others may be on their way out. */
static pthread_barrier_t barrier;
static void *waits(void *arg) { pthread_barrier_wait(&barrier); return arg; }
static void barriers(void)
{
    for (int i = 0; i < MANY; i++) {
        pthread_t t[3];
        pthread_barrier_init(&barrier, NULL, 4);
        for (int k = 0; k < 3; k++)
            pthread_create(&t[k], NULL, waits, NULL);
        pthread_barrier_wait(&barrier);
        pthread_barrier_destroy(&barrier);
        for (int k = 0; k < 3; k++)
            pthread_join(t[k], NULL);
    }
}

/* Stacks are used again by others: a lock where another's was. */
static void helper(go_mutex *a, pthread_mutex_t *b, go_waitgroup *wg)
{
    go_mutex_lock(a);
    pthread_mutex_lock(b);
    pthread_mutex_unlock(b);
    go_mutex_unlock(a);
    go_waitgroup_done(wg);
}
static void on_stack(go_waitgroup *all)
{
    go_waitgroup wg = {0};
    go_mutex a = GO_MUTEX_INIT;
    pthread_mutex_t b;
    pthread_rwlock_t c;
    pthread_mutex_init(&b, NULL);
    pthread_rwlock_init(&c, NULL);
    go_waitgroup_add(&wg, 2);
    go(helper, &a, &b, &wg);
    go(helper, &a, &b, &wg);
    pthread_rwlock_rdlock(&c);
    pthread_rwlock_unlock(&c);
    go_waitgroup_wait(&wg);
    pthread_mutex_destroy(&b);
    pthread_rwlock_destroy(&c);
    go_waitgroup_done(all);
}
static void *on_thread_stack(void *arg)
{
    go_waitgroup all = {0};
    go_waitgroup_add(&all, 1);
    on_stack(&all);
    return arg;
}
static void stacks(void)
{
    for (int i = 0; i < MANY; i++) {
        go_waitgroup all = {0};
        go_waitgroup_add(&all, 4);
        for (int k = 0; k < 4; k++)
            go(on_stack, &all);
        pthread_t t;
        pthread_create(&t, NULL, on_thread_stack, NULL);
        pthread_detach(t);
        go_waitgroup_wait(&all);
    }
}

/* Objects that go back to a pool with their locks, and come out of it again to be initialized. */
static struct shared *pool[MANY];
static pthread_mutex_t pool_mutex = PTHREAD_MUTEX_INITIALIZER;
static void pooled(go_waitgroup *wg)
{
    for (int i = 0; i < MANY; i++) {
        struct shared *s = NULL;
        pthread_mutex_lock(&pool_mutex);
        for (int k = 0; k < MANY && !s; k++) {
            s = pool[k];
            pool[k] = NULL;
        }
        pthread_mutex_unlock(&pool_mutex);
        if (!s)
            s = malloc(sizeof *s);
        *s = (struct shared){0};
        pthread_mutex_init(&s->mutex, NULL);
        pthread_mutex_lock(&s->mutex);
        pthread_mutex_unlock(&s->mutex);
        go_mutex_lock(&s->go_mutex);
        go_mutex_unlock(&s->go_mutex);
        pthread_mutex_destroy(&s->mutex);
        pthread_mutex_lock(&pool_mutex);
        for (int k = 0; k < MANY && s; k++)
            if (!pool[k]) {
                pool[k] = s;
                s = NULL;
            }
        pthread_mutex_unlock(&pool_mutex);
        free(s);
    }
    go_waitgroup_done(wg);
}

/* A block with a lock that grows while it is its owner's alone. */
static void grows(void)
{
    go_mutex *m = calloc(1, sizeof *m);
    for (size_t n = 1; n < 5000; n *= 2) {
        go_mutex_lock(m);
        go_mutex_unlock(m);
        m = realloc(m, n * sizeof *m);
    }
    free(m);
}

/* Read by many, overwritten by who came after all. */
static void reads(go_rwmutex *rw, pthread_rwlock_t *l, go_waitgroup *wg)
{
    for (int i = 0; i < 3; i++) {
        go_rwmutex_rlock(rw);
        pthread_rwlock_rdlock(l);
        pthread_rwlock_unlock(l);
        go_rwmutex_runlock(rw);
    }
    go_waitgroup_done(wg);
}
static void readers(void)
{
    static go_rwmutex rw;
    static pthread_rwlock_t l;
    for (int i = 0; i < 3; i++) {
        go_waitgroup wg = {0};
        rw = (go_rwmutex)GO_RWMUTEX_INIT;
        pthread_rwlock_init(&l, NULL);
        go_waitgroup_add(&wg, MANY);
        for (int k = 0; k < MANY; k++)
            go(reads, &rw, &l, &wg);
        go_waitgroup_wait(&wg);
        if (i % 2)
            pthread_rwlock_destroy(&l);
    }
}

int main(void)
{
    go_waitgroup wg = {0};
    last_reference();
    condition();
    barriers();
    stacks();
    go_waitgroup_add(&wg, 3);
    for (int i = 0; i < 3; i++)
        go(pooled, &wg);
    go_waitgroup_wait(&wg);
    grows();
    readers();
    return 0;
}
