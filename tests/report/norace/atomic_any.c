/* The clean twin of race/atomic_any.c: release and acquire order, and four threads that change objects of many sizes at once lose nothing. */
// expect: all there
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"
#ifdef __clang__
#pragma GCC diagnostic ignored "-Watomic-alignment"   /* that is what this is about */
#endif

enum { TURNS = 2000, THREADS = 4 };
struct s3 { char c[3]; };
struct s24 { long a, b, c; };
struct pair { int a, b; };   /* 8 bytes, aligned to 4: some compilers leave that to libatomic */
static struct s3 three;
static _Atomic(struct s24) large;
static struct pair *pair, *odd;   /* odd: at no multiple of 8 */
static char *big;

static void publish(void)
{
    x = 1;
    struct pair full = {1, 2};
    __atomic_store(pair, &full, __ATOMIC_RELEASE);
}

static void clean(void)
{
    struct pair seen;
    do {
        go_yield();
        __atomic_load(pair, &seen, __ATOMIC_ACQUIRE);
    } while (!seen.a);
    x += seen.b;
    struct s24 now = {x, 0, 0}, old;
    old = atomic_exchange(&large, now);
    x += (int)old.a;
}

static void *adds(void *p)
{
    for (int i = 0; i < TURNS; i++) {
        struct s24 l = atomic_load(&large), m;
        do
            m = (struct s24){l.a + 1, l.b + 2, l.c + 3};
        while (!atomic_compare_exchange_weak(&large, &l, m));
        struct s3 c, d;
        __atomic_load(&three, &c, __ATOMIC_SEQ_CST);
        do {
            d = c;
            d.c[i % 3]++;
        } while (!__atomic_compare_exchange(&three, &c, &d, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
        struct pair o, q;
        __atomic_load(odd, &o, __ATOMIC_RELAXED);
        do
            q = (struct pair){o.a + 1, o.b - 1};
        while (!__atomic_compare_exchange(odd, &o, &q, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
    }
    return p;
}

int main(void)
{
    pthread_t t[THREADS];
    pair = calloc(1, sizeof *pair);
    big = calloc(1, 64);
    odd = (struct pair *)(void *)(big + 12);
    go(publish);
    clean();
    atomic_store(&large, ((struct s24){0, 0, 0}));
    for (int i = 0; i < THREADS; i++)
        pthread_create(&t[i], NULL, adds, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
    struct s24 l = atomic_load(&large);
    struct s3 c;
    __atomic_load(&three, &c, __ATOMIC_SEQ_CST);
    unsigned char each[3];
    memcpy(each, &c, 3);
    unsigned sum = (unsigned)each[0] + each[1] + each[2];
    if (l.a == THREADS * TURNS && l.b == 2 * l.a && l.c == 3 * l.a && sum % 256 == (unsigned)(THREADS * TURNS) % 256 && odd->a == l.a && odd->b == -l.a && x == 3)
        puts("all there");
    return 0;
}
