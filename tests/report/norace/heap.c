/* Memory that another goroutine has used and freed begins a new life, whoever allocates it: the program, or a function of libc for it. */
// expect: all done
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
#define _GNU_SOURCE
#include "race_test.h"
#include <malloc.h>

static void use(char *p, size_t n)
{
    for (size_t i = 0; p && i < n; i++)
        p[i]++;
}

/* Blocks of one size from every allocator, in threads whose only common point is the heap. */
static void *churn(void *arg)
{
    unsigned seed = (unsigned)(intptr_t)arg;
    for (int i = 0; i < 4000; i++) {
        char *p = NULL;
        size_t n = 120;
        switch (rand_r(&seed) % 10) {
        case 0: p = malloc(n); break;
        case 1: p = calloc(3, 40); break;
        case 2: p = realloc(malloc(10), n); break;
        case 3: p = aligned_alloc(32, 128); break;
        case 4: if (posix_memalign((void **)&p, 64, n)) p = NULL; break;
        case 5: p = strdup("a string"); n = 9; break;
        case 6: n = (size_t)asprintf(&p, "%s %d", "formatted", i) + 1; break;
        case 7: p = reallocarray(NULL, 10, 12); break;
        case 8: p = memalign(32, n); break;
        default: { FILE *f = open_memstream(&p, &n); fprintf(f, "%d", i); fclose(f); }
        }
        use(p, n);
        free(p);
    }
    return NULL;
}

int main(void)
{
    pthread_t t[4];
    mallopt(M_ARENA_MAX, 1);   /* one heap: what one thread frees the next gets */
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 4; i++)
            pthread_create(&t[i], NULL, churn, (void *)(intptr_t)(i + 1));
        for (int i = 0; i < 4; i++)
            pthread_join(t[i], NULL);
    }
    puts("all done");
    return 0;
}
