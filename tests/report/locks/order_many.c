/* A million pairs of locks, one taken inside the other, are remembered; then it says that it can't any more, once, and the program runs on. */
// race-expect: ^gort: race detector: a million pairs of locks were held together: the order of further pairs is not checked$
// race-expect: ^done$
// absent: inversion|misuse
// env: GORACE=atexit_sleep_ms=0
#include "race_test.h"

enum { HELD = 64, TAKEN = 17000 };
static pthread_mutex_t held[HELD], taken[TAKEN];

int main(void)
{
    for (int i = 0; i < HELD; i++)
        pthread_mutex_init(&held[i], NULL);
    for (int k = 0; k < TAKEN; k++)
        pthread_mutex_init(&taken[k], NULL);
    for (int i = 0; i < HELD; i++) {
        pthread_mutex_lock(&held[i]);
        for (int k = 0; k < TAKEN; k++) {
            pthread_mutex_lock(&taken[k]);
            pthread_mutex_unlock(&taken[k]);
        }
        pthread_mutex_unlock(&held[i]);
    }
    puts("done");
    return 0;
}
