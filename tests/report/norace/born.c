/* The clean twin of race/born.c: the pointer is handed over by what orders; memory goes from one goroutine to another by free and malloc. */
// absent: WARNING
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#define _GNU_SOURCE
#include <sys/mman.h>

#include "race_test.h"

static void *same(void *p)
{
    __asm__ volatile("" : "+r"(p));
    return p;
}

static _Atomic(void *) handed;

static void uses_all(volatile char *p, size_t n)
{
    for (size_t i = 0; i < n; i += 3)
        p[i]++;
}

static void user(size_t n, void (*gives_back)(void *, size_t), go_waitgroup *wg)
{
    void *p;
    while ((p = atomic_load_explicit(&handed, memory_order_acquire)) == NULL)
        go_yield();
    uses_all(p, n);
    gives_back(p, n);
    go_waitgroup_done(wg);
}

static void hand(void *(*gets)(size_t), size_t n, void (*gives_back)(void *, size_t))
{
    go_waitgroup wg = GO_WAITGROUP_INIT;
    go_waitgroup_add(&wg, 1);
    atomic_store_explicit(&handed, NULL, memory_order_relaxed);
    go(user, n, gives_back, &wg);
    atomic_store_explicit(&handed, gets(n), memory_order_release);
    go_waitgroup_wait(&wg);
}

static void *gets(size_t n) { return same(malloc(n)); }
static void *gets_zeroed(size_t n) { return same(calloc(1, n)); }
static void *gets_grown(size_t n) { return same(realloc(malloc(n / 2), n)); }
static void *gets_aligned(size_t n) { return same(aligned_alloc(64, n)); }
static void *gets_mapped(size_t n) { return same(mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)); }
static void frees(void *p, size_t n) { (void)n; free(p); }
static void unmaps(void *p, size_t n) { munmap(p, n); }

/* What it frees, others get, who know nothing of it. */
static void *churns(void *arg)
{
    void *p[64];
    for (int round = 0; round < 200; round++) {
        for (size_t i = 0; i < 64; i++)
            p[i] = same(malloc(16 + (i * 37) % 300));
        for (size_t i = 0; i < 64; i++)
            uses_all(p[i], 16 + (i * 37) % 300);
        for (size_t i = 0; i < 64; i++)
            free(p[i]);
    }
    return arg;
}

/* What is left of a mapping that was never used goes when another covers it, although the two know nothing of each other. */
enum { MAPPING = 8 << 20, BEFORE = 1 << 20 };
static char *volatile mapped_at;

static void *maps(void *arg)
{
    char *p = gets_mapped(MAPPING);
    munmap(p, MAPPING);
    __asm__ volatile("movq %1, %0" : "=m"(mapped_at) : "r"(p) : "memory");
    step(1);
    return arg;
}

static void *maps_over(void *arg)
{
    char *p;
    await(1);
    __asm__ volatile("movq %1, %0" : "=r"(p) : "m"(mapped_at) : "memory");
    char *q = mmap(p - BEFORE, MAPPING, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uses_all(q, MAPPING);
    munmap(q, MAPPING);
    return arg;
}

int main(void)
{
    static const size_t sizes[] = {64, 1024, 4096, 5120, 128 << 10};
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        hand(gets, sizes[i], frees);
        hand(gets_zeroed, sizes[i], frees);
        hand(gets_grown, sizes[i], frees);
        hand(gets_aligned, sizes[i], frees);
        hand(gets_mapped, sizes[i], unmaps);
    }
    pthread_t t[4];
    pthread_create(&t[0], NULL, maps, NULL);
    pthread_create(&t[1], NULL, maps_over, NULL);
    pthread_join(t[0], NULL);
    pthread_join(t[1], NULL);
    for (int i = 0; i < 4; i++)
        pthread_create(&t[i], NULL, churns, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    return 0;
}
