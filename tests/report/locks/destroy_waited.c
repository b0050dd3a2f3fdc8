/* The end of what somebody waits in: a condition, a semaphore, a barrier, destroyed, freed, on the stack of a thread that ends. */
// race-expect: ^WARNING: destroy of what is waited for$
// race-expect: +^Destroyed by main goroutine:$
// race-expect: +^  main\(\)$
// race-expect: ^It is condition M1 \(0x[0-9a-f]+, cond\), waited for by thread .* at:$
// race-expect: +^  waits_in_cond\(\)$
// race-expect: ^WARNING: destroy of what is waited for$
// race-expect: ^It is semaphore M1 \(0x[0-9a-f]+, sem\), waited for by thread .* at:$
// race-expect: +^  waits_in_sem\(\)$
// race-expect: ^WARNING: destroy of what is waited for$
// race-expect: ^It is barrier M1 \(0x[0-9a-f]+, barrier\), waited for by thread .* at:$
// race-expect: +^  waits_in_barrier\(\)$
// race-expect: ^WARNING: free of memory with something in it that is waited for$
// race-expect: +^Freed by main goroutine:$
// race-expect: ^It is semaphore M1 \(0x[0-9a-f]+\), waited for by thread .* at:$
// race-expect: ^WARNING: end of a stack with something on it that is waited for$
// race-expect: +^Stack left by thread
// race-expect: ^It is semaphore M1
// race-expect: ^Found 5 misuse\(s\) of locks$
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
#include "race_test.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static sem_t sem;
static pthread_barrier_t barrier;
static sem_t *_Atomic on_stack;

static void *waits_in_cond(void *p)
{
    pthread_mutex_lock(&m);
    step(1);
    pthread_cond_wait(&cond, &m);
    pthread_mutex_unlock(&m);
    return p;
}

static void *wakes(void *p)
{
    usleep(100000);
    pthread_cond_broadcast(&cond);
    return p;
}

static void *waits_in_sem(void *p)
{
    step(2);
    sem_wait(&sem);
    return p;
}

static void *waits_in_barrier(void *p)
{
    step(3);
    pthread_barrier_wait(&barrier);
    return p;
}

static void *destroys_barrier(void *p)
{
    pthread_barrier_destroy(&barrier);
    return p;
}

static void *waits_in_block(void *p)
{
    step(4);
    sem_wait(p);
    return p;
}

static void *ends(void *p)
{
    struct { sem_t sem; char room[1 << 16]; } here;   /* room for what else runs at the thread's end */
    sem_init(&here.sem, 0, 0);
    on_stack = &here.sem;
    await(6);
    usleep(50000);
    return p;
}

static void *waits_on_stack(void *p)
{
    while (!on_stack)
        usleep(100);
    step(6);
    sem_wait(on_stack);
    return p;
}

static pthread_t start(void *(*fn)(void *), void *p)
{
    pthread_t t;
    pthread_create(&t, NULL, fn, p);
    return t;
}

int main(void)
{
    start(waits_in_cond, NULL);
    await(1);
    pthread_mutex_lock(&m);   /* it has been given up by who waits */
    pthread_mutex_unlock(&m);
    start(wakes, NULL);       /* glibc's destroy waits for the waiters */
    pthread_cond_destroy(&cond);
    sem_init(&sem, 0, 0);
    start(waits_in_sem, NULL);
    await(2);
    usleep(50000);
    sem_destroy(&sem);
    pthread_barrier_init(&barrier, NULL, 2);
    start(waits_in_barrier, NULL);
    await(3);
    usleep(50000);
    start(destroys_barrier, NULL);   /* it may never return */
    usleep(50000);
    sem_t *block = malloc(sizeof *block);
    sem_init(block, 0, 0);
    start(waits_in_block, block);
    await(4);
    usleep(50000);
    free(block);
    pthread_t t = start(ends, NULL);
    start(waits_on_stack, NULL);
    pthread_join(t, NULL);
    return 0;
}
