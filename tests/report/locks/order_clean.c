/* What is no deadlock: the same order everywhere; trying; a gate; one goroutine alone; readers among readers; a lock that another has taken the place of; a
 * recursive mutex; locks that one goroutine takes and another gives back. */
// race-expect: ^done$
// absent: WARNING|Found
#include "race_test.h"

static go_mutex a, b, c, d, e, f, gate, m1, m2, h1, h2;
static go_rwmutex r, s;
static pthread_mutex_t p, q, rec;
static go_waitgroup wg;

static void both(go_mutex *one, go_mutex *two)
{
    go_mutex_lock(one);
    go_mutex_lock(two);
    go_mutex_unlock(one);   /* not in reverse */
    go_mutex_unlock(two);
}

static void same_order(void) { both(&a, &b); go_waitgroup_done(&wg); }

static void tries(void)
{
    go_mutex_lock(&b);
    if (go_mutex_try_lock(&a))
        go_mutex_unlock(&a);
    go_mutex_unlock(&b);
    go_waitgroup_done(&wg);
}

static void gated(go_mutex *one, go_mutex *two)
{
    go_mutex_lock(&gate);
    both(one, two);
    go_mutex_unlock(&gate);
    go_waitgroup_done(&wg);
}

static void alone(void)
{
    both(&e, &f);
    both(&f, &e);
    go_waitgroup_done(&wg);
}

static void readers(go_rwmutex *one, go_rwmutex *two)
{
    go_rwmutex_rlock(one);
    go_rwmutex_rlock(two);
    go_rwmutex_runlock(two);
    go_rwmutex_runlock(one);
    go_waitgroup_done(&wg);
}

static void heap(bool turned)
{
    go_mutex *m = calloc(1, sizeof *m);   /* the same memory in each round */
    both(turned ? m : &m1, turned ? &m1 : m);
    free(m);
    go_waitgroup_done(&wg);
}

__attribute__((noinline)) static void stack(bool turned)
{
    go_mutex m = GO_MUTEX_INIT;
    both(turned ? &m : &m2, turned ? &m2 : &m);
}

static void on_stack(bool turned) { stack(turned); go_waitgroup_done(&wg); }

static void again(pthread_mutex_t *one, pthread_mutex_t *two)
{
    pthread_mutex_init(one, NULL);
    pthread_mutex_lock(one);
    pthread_mutex_lock(two);
    pthread_mutex_unlock(two);
    pthread_mutex_unlock(one);
    pthread_mutex_destroy(one);
    go_waitgroup_done(&wg);
}

static void recursive(void)
{
    pthread_mutex_lock(&rec);
    pthread_mutex_lock(&p);
    pthread_mutex_lock(&rec);   /* has it: does not wait */
    pthread_mutex_unlock(&rec);
    pthread_mutex_unlock(&p);
    pthread_mutex_unlock(&rec);
    go_waitgroup_done(&wg);
}

static void give_back(void) { go_mutex_unlock(&h1); go_waitgroup_done(&wg); }
static void take(void) { go_mutex_lock(&h1); go_waitgroup_done(&wg); }
static void handed(void)
{
    go_mutex_lock(&h2);
    go_mutex_lock(&h1);
    go_mutex_unlock(&h1);
    go_mutex_unlock(&h2);
    go_waitgroup_done(&wg);
}

#define RUN(...) (go_waitgroup_add(&wg, 1), go(__VA_ARGS__), go_waitgroup_wait(&wg))

int main(void)
{
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&rec, &attr);
    pthread_mutex_init(&p, NULL);
    RUN(same_order);
    RUN(same_order);
    RUN(tries);
    RUN(gated, &c, &d);
    RUN(gated, &d, &c);
    RUN(alone);
    RUN(readers, &r, &s);
    RUN(readers, &s, &r);
    for (int i = 0; i < 10; i++)
        RUN(heap, i & 1);
    for (int i = 0; i < 10; i++)
        RUN(on_stack, i & 1);
    for (int i = 0; i < 2; i++)
        stack(i);   /* and of main's */
    RUN(again, &p, &q);
    pthread_mutex_init(&p, NULL);
    RUN(again, &q, &p);
    RUN(recursive);
    RUN(take);
    RUN(give_back);
    go_mutex_lock(&h1);
    go_mutex_lock(&h2);
    go_mutex_unlock(&h2);
    go_mutex_unlock(&h1);
    RUN(handed);
    puts("done");
    return 0;
}
