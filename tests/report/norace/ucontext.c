/* The clean twin of race/ucontext.c, and threads that hand contexts on to each other, many times: each switch orders nothing by itself, and costs no order. */
// expect: ^all done
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
#define _GNU_SOURCE
#include "race_test.h"
#include "ucontext.inc"

/* One context, run by two threads in turn. */
enum { ROUNDS = 200 };
static ucontext_t task, worker_home[2], *who;
static char task_stack[STACK] __attribute__((aligned(64)));
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int turn, done;
static long steps;

NOINLINE void task_step(int depth)
{
    steps++;
    if (depth > 0)
        task_step(depth - 1);
    else
        swapcontext(&task, who);
    steps++;
}

static void task_main(void)
{
    for (int i = 0; i < ROUNDS; i++)
        task_step(i % 7);
    done = 1;
    setcontext(who);
}

static void *worker(void *p)
{
    int me = (int)(intptr_t)p;
    pthread_mutex_lock(&m);
    while (!done) {
        if (turn % 2 != me) {
            pthread_cond_wait(&changed, &m);
            continue;
        }
        who = &worker_home[me];
        swapcontext(&worker_home[me], &task);
        turn++;
        pthread_cond_broadcast(&changed);
    }
    pthread_mutex_unlock(&m);
    return NULL;
}

static void *reader(void *p)
{
    sink += at_home + in_first + in_second + after_end + after_get;
    return p;
}

int main(void)
{
    pthread_t t, w[2];
    contexts();
    pthread_create(&t, NULL, reader, NULL);
    pthread_join(t, NULL);
    getcontext(&task);
    task.uc_stack.ss_sp = task_stack;
    task.uc_stack.ss_size = STACK;
    task.uc_link = NULL;
    makecontext(&task, task_main, 0);
    for (int i = 0; i < 2; i++)
        pthread_create(&w[i], NULL, worker, (void *)(intptr_t)i);
    for (int i = 0; i < 2; i++)
        pthread_join(w[i], NULL);
    if (argument != 7 || steps == 0)
        return 1;
    puts("all done");
    return 0;
}
