/* Address space that is only reserved, terabytes of it, again and again; a part that was used begins a new life with the next mapping. */
// expect: all done
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
#define _GNU_SOURCE
#include "race_test.h"
#include <sys/mman.h>

enum { PAGES_USED = 600 };
static const size_t bytes = (size_t)1 << 42;

static atomic_int used;

static void *use(void *p)
{
    volatile char *at = p;
    for (int i = 0; i < PAGES_USED; i++)
        at[i * 4096 + i] = 1;
    atomic_fetch_add_explicit(&used, 1, memory_order_relaxed);
    return NULL;
}

int main(void)
{
    char *at = NULL;
    pthread_t threads[40];
    for (int i = 0; i < 40; i++) {
        at = mmap(at, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (at ? MAP_FIXED : 0), -1, 0);
        if (at == MAP_FAILED || mprotect(at + (1 << 20) - 4096, PAGES_USED * 4096 * 2, PROT_READ | PROT_WRITE) != 0)
            abort();
        pthread_create(&threads[i], NULL, use, at + (1 << 20) - 4096);
        while (atomic_load_explicit(&used, memory_order_relaxed) == i)
            usleep(100);
    }
    for (int i = 0; i < 40; i++)
        pthread_join(threads[i], NULL);
    puts("all done");
    return 0;
}
