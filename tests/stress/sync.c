/* Cond, semaphore, once and pool together: a bounded queue made of conds with timeouts, whose users are limited by a semaphore with weights
 * and timeouts, and whose messages come from a pool. Everything put in comes out, nothing twice; permits and objects are all there at the end. */
#include "stress.h"

enum { SLOTS = 5, PERMITS = 6, PRODUCERS = 10, CONSUMERS = 6, EACH = 300, ONCES = 50 };

struct message {
    long value;
    _Atomic(int) users;
};

static go_mutex m;
static go_cond not_empty, not_full;
static struct message *queue[SLOTS];
static int in_queue;
static bool closed;

static go_sem sem;
static _Atomic(int) held;
static _Atomic(long) sent, received, made, dropped;
static go_waitgroup producers, consumers;

static go_once once[ONCES];
static int ran[ONCES];   /* guarded by once */

static void *make_message(void *arg)
{
    (void)arg;
    made++;
    return calloc(1, sizeof(struct message));
}

static void drop_message(void *object)
{
    dropped++;
    free(object);
}

static go_pool pool = {.make = make_message, .drop = drop_message};

static void wait_on(go_cond *c, uint32_t *s)
{
    if (rnd(s) % 2)
        go_cond_wait(c, &m);
    else
        (void)go_cond_wait_timeout(c, &m, rnd(s) % 60000);   /* the caller looks again in any case */
}

static void wake(go_cond *c, uint32_t *s)
{
    if (rnd(s) % 8 == 0)
        go_cond_broadcast(c);
    else
        go_cond_signal(c);
}

static void put(struct message *x, uint32_t *s)
{
    go_mutex_lock(&m);
    while (in_queue == SLOTS)
        wait_on(&not_full, s);
    queue[in_queue++] = x;
    bool under_lock = rnd(s) % 2;
    if (under_lock)
        wake(&not_empty, s);
    go_mutex_unlock(&m);
    if (!under_lock)
        wake(&not_empty, s);
}

static struct message *take(uint32_t *s)
{
    struct message *x = NULL;
    go_mutex_lock(&m);
    while (in_queue == 0 && !closed)
        wait_on(&not_empty, s);
    if (in_queue > 0)
        x = queue[--in_queue];
    wake(&not_full, s);
    go_mutex_unlock(&m);
    return x;
}

static void acquire(int n, uint32_t *s)
{
    switch (rnd(s) % 3) {
    case 0:
        while (!go_sem_acquire_timeout(&sem, n, rnd(s) % 50000))
            perturb(s);
        break;
    case 1:
        if (go_sem_try_acquire(&sem, n))
            break;
        /* fall through */
    case 2:
        go_sem_acquire(&sem, n);
        break;
    }
    held += n;
    CHECK_EQ(held <= PERMITS, 1);
}

static void release(int n)
{
    held -= n;
    go_sem_release(&sem, n);
}

static void run_once(void *arg)
{
    uint32_t s = stream(7);
    ++*(int *)arg;
    perturb(&s);
}

static void produce(uint32_t me)
{
    uint32_t s = stream(me);
    for (int i = 0; i < EACH; i++) {
        int n = 1 + (int)(rnd(&s) % PERMITS);
        acquire(n, &s);
        struct message *x = go_pool_get(&pool);
        CHECK_EQ(++x->users, 1);
        x->value = rnd(&s) % 1000;
        sent += x->value;
        perturb(&s);
        release(n);
        put(x, &s);
        int k = (int)(rnd(&s) % ONCES);
        go_once_do(&once[k], run_once, &ran[k]);
        CHECK_EQ(ran[k], 1);
        if (rnd(&s) % 256 == 0)
            go_pool_clear(&pool);
    }
    go_waitgroup_done(&producers);
}

static void *produce_on_thread(void *arg)
{
    produce((uint32_t)(uintptr_t)arg);
    return NULL;
}

static void consume(uint32_t me)
{
    uint32_t s = stream(500 + me);
    for (struct message *x; (x = take(&s));) {
        received += x->value;
        perturb(&s);
        CHECK_EQ(--x->users, 0);
        go_pool_put(&pool, x);
    }
    go_waitgroup_done(&consumers);
}

int main(int argc, char **argv)
{
    read_seed(argc, argv);
    go_sem_init(&sem, PERMITS);
    go_waitgroup_add(&consumers, CONSUMERS);
    for (uint32_t i = 0; i < CONSUMERS; i++)
        go(consume, i);
    go_waitgroup_add(&producers, PRODUCERS + 1);
    for (uint32_t i = 0; i < PRODUCERS; i++)
        go(produce, i);
    pthread_t t;
    pthread_create(&t, NULL, produce_on_thread, (void *)(uintptr_t)PRODUCERS);
    go_waitgroup_wait(&producers);
    pthread_join(t, NULL);
    go_mutex_lock(&m);
    closed = true;
    go_mutex_unlock(&m);
    go_cond_broadcast(&not_empty);
    go_waitgroup_wait(&consumers);
    CHECK_EQ(received, sent);
    CHECK_EQ(held, 0);
    CHECK_EQ(go_sem_try_acquire(&sem, PERMITS), 1);
    CHECK_EQ(go_sem_try_acquire(&sem, 1), 0);
    go_pool_clear(&pool);
    CHECK_EQ(dropped, made);
    CHECK_EQ(leakcheck(), 0);
    return 0;
}
