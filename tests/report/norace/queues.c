/* What is sent through a queue of System V or POSIX, or given back to a semaphore set, orders as a pipe does. */
// expect: ^all done
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
#define _GNU_SOURCE
#include "race_test.h"
#include "queues.inc"

int main(void)
{
    begin();
    for (way = 0; way < WAYS; way++) {
        pthread_t t;
        pthread_create(&t, NULL, gives, NULL);
        takes();
        values[way]++;
        pthread_join(t, NULL);
    }
    end();
    puts("all done");
    return 0;
}
