/* What is right: pthread locks of every kind locked and unlocked in any order, again where that is allowed, destroyed and used anew; a mutex that is unlocked by
 * another goroutine; memory with unlocked locks freed; a lock held in a child of fork; locks left behind, locked, by a function, and new ones in their place;
 * the program's own locks, which the linker has initialized, used when they are destroyed. */
// race-expect: ^done$
// absent: WARNING|Found
#include "race_test.h"
#include <errno.h>
#include <sys/wait.h>

static void *worker(void *p)
{
    pthread_mutex_t *m = p;
    for (int i = 0; i < 100; i++) {
        pthread_mutex_lock(m);
        x++;
        pthread_mutex_unlock(m);
    }
    return NULL;
}

static __attribute__((noinline)) void leave_behind(bool by_call)
{
    pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
    if (by_call)
        pthread_mutex_init(&m, NULL);
    pthread_mutex_lock(&m);
}

void __tsan_mutex_create(void *addr, unsigned flags);
void __tsan_mutex_destroy(void *addr, unsigned flags);
void __tsan_mutex_pre_lock(void *addr, unsigned flags);
void __tsan_mutex_post_lock(void *addr, unsigned flags, int recursion);
int __tsan_mutex_pre_unlock(void *addr, unsigned flags);
void __tsan_mutex_post_unlock(void *addr, unsigned flags);

static void destroyed_in_use(void *lock, unsigned destroy_flags)
{
    __tsan_mutex_pre_lock(lock, 0);
    __tsan_mutex_post_lock(lock, 0, 0);
    __tsan_mutex_destroy(lock, destroy_flags);
    __tsan_mutex_pre_unlock(lock, 0);
    __tsan_mutex_post_unlock(lock, 0);
}

int main(void)
{
    enum { LINKER_INIT = 1, NOT_STATIC = 1 << 8 };
    static int by_linker[2];
    __tsan_mutex_create(&by_linker[0], LINKER_INIT);
    destroyed_in_use(&by_linker[0], 0);
    destroyed_in_use(&by_linker[1], NOT_STATIC);
    for (int i = 0; i < 6; i++)
        leave_behind(i % 2);
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    for (int type = PTHREAD_MUTEX_NORMAL; type <= PTHREAD_MUTEX_ERRORCHECK; type++) {
        pthread_mutex_t *m = malloc(sizeof *m);
        pthread_t t;
        pthread_mutexattr_settype(&attr, type);
        pthread_mutex_init(m, &attr);
        pthread_create(&t, NULL, worker, m);
        worker(m);
        pthread_join(t, NULL);
        pthread_mutex_lock(m);
        if (type == PTHREAD_MUTEX_RECURSIVE) {
            pthread_mutex_lock(m);
            pthread_mutex_unlock(m);
        } else if (type == PTHREAD_MUTEX_ERRORCHECK && pthread_mutex_lock(m) != EDEADLK) {
            puts("no EDEADLK");
        }
        pthread_mutex_unlock(m);
        pthread_mutex_destroy(m);
        free(m);
    }
    pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
    pthread_spinlock_t s;
    pthread_spin_init(&s, 0);
    for (int i = 0; i < 3; i++) {
        pthread_rwlock_rdlock(&rw);
        pthread_rwlock_rdlock(&rw);
        pthread_spin_lock(&s);
        pthread_rwlock_unlock(&rw);
        pthread_rwlock_unlock(&rw);
        pthread_rwlock_wrlock(&rw);
        pthread_spin_unlock(&s);
        pthread_rwlock_unlock(&rw);
    }
    pthread_rwlock_destroy(&rw);
    pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&m);
    pid_t child = fork();
    if (child == 0) {
        pthread_mutex_unlock(&m);
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    pthread_mutex_unlock(&m);
    puts(status == 0 ? "done" : "child failed");
    return 0;
}
