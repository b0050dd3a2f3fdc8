/* The end of what is held: destroyed, freed, on the stack of a goroutine that ends. */
// race-expect: ^WARNING: destroy of a locked mutex$
// race-expect: ^Destroyed by main goroutine:$
// race-expect: ^The lock is mutex M1 \(0x[0-9a-f]+, m\), locked by main goroutine at:$
// race-expect: ^WARNING: destroy of a locked mutex$
// race-expect: ^The lock is rwlock \(for reading\) M1 \(0x[0-9a-f]+, rw\)$
// race-expect: ^WARNING: free of memory with a locked mutex in it$
// race-expect: ^Freed by main goroutine:$
// race-expect: ^The lock is mutex M1 \(0x[0-9a-f]+\), locked by main goroutine at:$
// race-expect: ^WARNING: end of a stack with a locked mutex on it$
// race-expect: ^Stack left by goroutine 2$
// race-expect: ^The lock is mutex M1 \(0x[0-9a-f]+\), locked by goroutine 2 at:$
// race-expect: ^  leaves\(\)$
// race-expect: ^Found 4 misuse\(s\) of locks$
// race-status: 66
#include "race_test.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static go_waitgroup wg;

static void leaves(void)
{
    go_mutex local = GO_MUTEX_INIT;
    go_mutex_lock(&local);
    go_waitgroup_done(&wg);
}

int main(void)
{
    pthread_mutex_lock(&m);
    pthread_mutex_destroy(&m);
    pthread_rwlock_rdlock(&rw);
    pthread_rwlock_destroy(&rw);
    struct { int n; go_mutex m; } *block = calloc(1, sizeof *block);
    go_mutex_lock(&block->m);
    free(block);
    go_waitgroup_add(&wg, 1);
    go(leaves);
    go_waitgroup_wait(&wg);
    while (go_num_goroutine() > 1)
        go_yield();
    return 0;
}
