/* A program that brings its own malloc keeps it. */
// expect: all done
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
#include "race_test.h"

static char pool[1 << 22] __attribute__((aligned(16)));
static size_t used, blocks;
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

void *malloc(size_t n)
{
    pthread_mutex_lock(&m);
    n = (n + 31) / 16 * 16;   /* with its size in front */
    size_t *p = used + n <= sizeof pool ? (size_t *)(void *)(pool + used) : NULL;
    if (p) {
        p[0] = n - 16;
        used += n;
        blocks++;
    }
    pthread_mutex_unlock(&m);
    return p ? p + 2 : NULL;
}
void free(void *p) { (void)p; }
void *calloc(size_t k, size_t n)
{
    void *p = malloc(k * n);
    return p ? memset(p, 0, k * n) : NULL;
}
void *realloc(void *p, size_t n)
{
    char *q = malloc(n);
    size_t old = p ? ((size_t *)p)[-2] : 0;
    return q && p ? memcpy(q, p, old < n ? old : n) : q;
}

static void worker(go_chan(int) c)
{
    char *p = strdup("a string");
    p = realloc(p, 100);
    strcat(p, " and more");
    free(p);
    go_send(c, 1);
}

int main(void)
{
    go_chan(int) c = go_make_chan(int, 0);
    for (int i = 0; i < 10; i++)
        go(worker, c);
    for (int i = 0; i < 10; i++)
        go_recv(c, NULL);
    pthread_mutex_lock(&m);
    if (blocks < 20 || (char *)c < pool || (char *)c >= pool + sizeof pool)
        abort();
    pthread_mutex_unlock(&m);
    puts("all done");
    return 0;
}
