/* A shared library built without detection orders what the program does in its callbacks: threads, queue and join are all its own. Its blocks begin a
 * new life each time; the locks in them are its own business, too. */
// expect: all done 400
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"
#include "plain_pool.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static int total;
struct job { int n; char text[100]; };

static void work(void *p)
{
    struct job *j = p;
    j->n++;   /* what main wrote before it submitted */
    memset(j->text, 'x', sizeof j->text);
    pthread_mutex_lock(&m);
    total += j->n;
    pthread_mutex_unlock(&m);
    pool_free(j);
}

static void *drops(void *s)
{
    shared_drop(s);
    return NULL;
}

static void locks_of_its_own(void)
{
    pthread_t t[4];
    for (int round = 0; round < 20; round++) {
        struct shared *s = shared_new(4);
        for (int i = 0; i < 4; i++)
            pthread_create(&t[i], NULL, drops, s);
        for (int i = 0; i < 4; i++)
            pthread_join(t[i], NULL);
    }
}

int main(void)
{
    for (int round = 0; round < 4; round++) {
        pool_start(4);
        for (int i = 0; i < 50; i++) {
            struct job *j = pool_alloc(sizeof *j);
            j->n = 1;
            j->text[0] = 0;
            pool_submit(work, j);
        }
        pool_stop();
        total += 0;   /* the join was the library's */
    }
    locks_of_its_own();
    printf("all done %d\n", total);
    return 0;
}
