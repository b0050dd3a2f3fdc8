/* A program and its shared library may have functions of the names that the runtime and the detector have inside. */
// expect: the program's: 63, the library's: 15
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
#include "plain_names.h"
#include "race_test.h"

int conn_close(int n);
int timer_start(int n);
int list_free(int n);
int rt_ready(int n);
int race_print(int n);
int sched(int n);

int conn_close(int n)  { return n + 1; }
int timer_start(int n) { return n + 2; }
int list_free(int n)   { return n + 4; }
int rt_ready(int n)    { return n + 8; }
int race_print(int n)  { return n + 16; }
int sched(int n)       { return n + 32; }

static int sum;
static void *work(void *arg)
{
    sum = conn_close(timer_start(list_free(rt_ready(race_print(sched(0))))));
    return arg;
}

int main(void)
{
    pthread_t t;
    pthread_create(&t, NULL, work, NULL);
    pthread_join(t, NULL);
    printf("the program's: %d, the library's: %d\n", sum, names_sum());
    return 0;
}
