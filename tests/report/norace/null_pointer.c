/* Threads that try what lies at a null pointer, and come back from the fault: no access took place, and nobody waits for the other. */
// expect: all came back
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"
#include <setjmp.h>
#include <stdint.h>

static _Thread_local sigjmp_buf back;
static atomic_int faults;

static void on_fault(int number)
{
    (void)number;
    faults++;
    siglongjmp(back, 1);
}

static void *tries(void *p)
{
    for (volatile int i = 0; i < 100; i++) {
        volatile uintptr_t at = (uintptr_t)(i % 4 * 8);
        if (sigsetjmp(back, 1) == 0) {
            if (i % 2)
                *(volatile char *)at = 1;
            else if (i % 4)
                memset((void *)at, 1, 100);
            else
                atomic_fetch_add((atomic_int *)at, 1);
        }
    }
    return p;
}

int main(void)
{
    struct sigaction a = {.sa_handler = on_fault};
    pthread_t t[2];
    sigaction(SIGSEGV, &a, NULL);
    tries(NULL);
    for (int i = 0; i < 2; i++)
        pthread_create(&t[i], NULL, tries, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
    puts(faults == 300 ? "all came back" : "not all");
    return 0;
}
