/* The racy twin of norace/queues.c: the other one looks before it takes. */
// expect: WARNING: DATA RACE
// expect: Found 1 data race\(s\)
// status: 66
// env: GORACE=atexit_sleep_ms=0
#define _GNU_SOURCE
#include "race_test.h"
#include "queues.inc"

int main(void)
{
    begin();
    for (way = 0; way < WAYS; way++) {
        pthread_t t;
        hidden_step = 0;
        pthread_create(&t, NULL, gives, NULL);
        await(1);
        values[way]++;
        takes();
        pthread_join(t, NULL);
    }
    end();
    return 0;
}
