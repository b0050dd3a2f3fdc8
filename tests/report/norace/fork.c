/* A child of fork goes on, checked if its parent had one thread, unchecked and never stuck if it had more. */
// expect: all done
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
#include "race_test.h"
#include <sys/wait.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static volatile bool stop;
static int numbers[1000];

static void work(void)
{
    for (int i = 0; i < 1000; i++)
        numbers[i]++;
    free(malloc(1000));
}

static void *busy(void *p)
{
    for (bool go_on = true; go_on;) {
        pthread_mutex_lock(&m);
        work();
        go_on = !stop;
        pthread_mutex_unlock(&m);
    }
    return p;
}

static void *in_child(void *p) { work(); return p; }

static int child(void)
{
    pthread_t t;
    for (int i = 0; i < 10; i++)
        work();
    for (int i = 0; i < 3; i++) {
        pthread_create(&t, NULL, in_child, NULL);
        pthread_join(t, NULL);
        work();
    }
    return 7;
}

static void in_a_child(void)
{
    int status;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        _exit(child());
    if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 7)
        abort();
}

int main(void)
{
    pthread_t t[3];
    in_a_child();
    for (int i = 0; i < 3; i++)
        pthread_create(&t[i], NULL, busy, NULL);
    for (int i = 0; i < 30; i++) {
        pthread_mutex_lock(&m);
        in_a_child();
        pthread_mutex_unlock(&m);
    }
    pthread_mutex_lock(&m);
    stop = true;
    pthread_mutex_unlock(&m);
    for (int i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
    puts("all done");
    return 0;
}
