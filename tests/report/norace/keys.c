/* A program that uses all keys for thread-local data there are: its threads have its values, and are joined in order. */
// expect: all done
// absent: WARNING
// env: GORACE=atexit_sleep_ms=0
#include "race_test.h"
#include <limits.h>

static pthread_key_t keys[PTHREAD_KEYS_MAX];
static int nkeys;
static sem_t used;

static void *uses(void *p)
{
    for (int i = 0; i < nkeys; i++)
        if (pthread_getspecific(keys[i]))
            abort();
    for (int i = 0; i < nkeys; i++)
        pthread_setspecific(keys[i], &keys[i]);
    for (int i = 0; i < nkeys; i++)
        if (pthread_getspecific(keys[i]) != &keys[i])
            abort();
    x++;
    sem_post(&used);
    return p;
}

int main(void)
{
    sem_init(&used, 0, 0);
    while (nkeys < PTHREAD_KEYS_MAX && pthread_key_create(&keys[nkeys], NULL) == 0)
        nkeys++;
    for (int i = 0; i < 20; i++) {
        pthread_t t;
        pthread_create(&t, NULL, uses, NULL);
        if (i % 2 == 0) {
            pthread_join(t, NULL);
            sem_wait(&used);
        } else {
            pthread_detach(t);
            sem_wait(&used);
        }
        x++;
    }
    puts("all done");
    return 0;
}
