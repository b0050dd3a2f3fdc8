/* libc's functions as the program calls them: memory and string functions touch memory, malloc and free begin and end its life, POSIX threads
 * synchronize. The linker's --wrap (link-options.txt) sends the program's calls here, and leaves those of shared libraries alone;
 * __real_ is the function itself. The runtime's own calls come here too, but with the detector off (race_ignored). */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <malloc.h>

#include "race.h"
#include "race_alloc.h"
#include "race_shadow.h"

#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#define PC ((uintptr_t)__builtin_return_address(0))

static void reads(const void *p, size_t n, uintptr_t pc)
{
    race_access_range(race_cur(), (uintptr_t)p, n, 0, pc);
}

static void writes(const void *p, size_t n, uintptr_t pc)
{
    race_access_range(race_cur(), (uintptr_t)p, n, EPOCH_WRITE, pc);
}

static bool is_on(void)
{
    return race_cur() != &race_ignored;
}

/* ---- memory and strings ---- */

void *__real_memcpy(void *to, const void *from, size_t n);
void *__real_memmove(void *to, const void *from, size_t n);
void *__real_memset(void *to, int c, size_t n);
void *__real___memcpy_chk(void *to, const void *from, size_t n, size_t room);
void *__real___memmove_chk(void *to, const void *from, size_t n, size_t room);
void *__real___memset_chk(void *to, int c, size_t n, size_t room);
int __real_memcmp(const void *a, const void *b, size_t n);
size_t __real_strlen(const char *s);
char *__real_strcpy(char *to, const char *from);
char *__real_strncpy(char *to, const char *from, size_t n);
int __real_strcmp(const char *a, const char *b);
int __real_strncmp(const char *a, const char *b, size_t n);
char *__real_strdup(const char *s);

void *__wrap_memcpy(void *to, const void *from, size_t n)
{
    reads(from, n, PC);
    writes(to, n, PC);
    return __real_memcpy(to, from, n);
}

void *__wrap_memmove(void *to, const void *from, size_t n)
{
    reads(from, n, PC);
    writes(to, n, PC);
    return __real_memmove(to, from, n);
}

void *__wrap_memset(void *to, int c, size_t n)
{
    writes(to, n, PC);
    return __real_memset(to, c, n);
}

void *__wrap___memcpy_chk(void *to, const void *from, size_t n, size_t room)
{
    reads(from, n, PC);
    writes(to, n < room ? n : room, PC);
    return __real___memcpy_chk(to, from, n, room);
}

void *__wrap___memmove_chk(void *to, const void *from, size_t n, size_t room)
{
    reads(from, n, PC);
    writes(to, n < room ? n : room, PC);
    return __real___memmove_chk(to, from, n, room);
}

void *__wrap___memset_chk(void *to, int c, size_t n, size_t room)
{
    writes(to, n < room ? n : room, PC);
    return __real___memset_chk(to, c, n, room);
}

int __wrap_memcmp(const void *a, const void *b, size_t n)
{
    const unsigned char *x = a, *y = b;
    size_t looked = 0;
    while (looked < n && x[looked] == y[looked])
        looked++;
    looked += looked < n;
    reads(a, looked, PC);
    reads(b, looked, PC);
    return __real_memcmp(a, b, n);
}

size_t __wrap_strlen(const char *s)
{
    size_t n = __real_strlen(s);
    reads(s, n + 1, PC);
    return n;
}

char *__wrap_strcpy(char *to, const char *from)
{
    size_t n = __real_strlen(from) + 1;
    reads(from, n, PC);
    writes(to, n, PC);
    return __real_strcpy(to, from);
}

char *__wrap_strncpy(char *to, const char *from, size_t n)
{
    size_t len = strnlen(from, n);
    reads(from, len < n ? len + 1 : n, PC);
    writes(to, n, PC);
    return __real_strncpy(to, from, n);
}

/* How many bytes of each a comparison of two strings looks at. */
static size_t compared(const char *a, const char *b, size_t most)
{
    size_t i = 0;
    while (i < most && a[i] == b[i] && a[i])
        i++;
    return i < most ? i + 1 : most;
}

int __wrap_strcmp(const char *a, const char *b)
{
    size_t n = compared(a, b, SIZE_MAX);
    reads(a, n, PC);
    reads(b, n, PC);
    return __real_strcmp(a, b);
}

int __wrap_strncmp(const char *a, const char *b, size_t most)
{
    size_t n = compared(a, b, most);
    reads(a, n, PC);
    reads(b, n, PC);
    return __real_strncmp(a, b, most);
}

/* ---- malloc ---- */

void *__real_malloc(size_t n);
void *__real_calloc(size_t k, size_t n);
void *__real_realloc(void *p, size_t n);
void __real_free(void *p);

static void *born(void *p)
{
    if (p && is_on())
        shadow_clear((uintptr_t)p, malloc_usable_size(p));
    return p;
}

void *__wrap_malloc(size_t n)
{
    return born(__real_malloc(n));
}

void *__wrap_calloc(size_t k, size_t n)
{
    return born(__real_calloc(k, n));
}

char *__wrap_strdup(const char *s)
{
    reads(s, __real_strlen(s) + 1, PC);
    return born(__real_strdup(s));
}

/* Freeing is a write to the whole block: whoever still uses it without having been waited for races with it. */
static void dies(void *p, uintptr_t pc)
{
    if (p && is_on()) {
        size_t n = malloc_usable_size(p);
        writes(p, n, pc);
        race_sync_forget((uintptr_t)p, n);
    }
}

void *__wrap_realloc(void *p, size_t n)
{
    dies(p, PC);
    return born(__real_realloc(p, n));
}

void __wrap_free(void *p)
{
    dies(p, PC);
    __real_free(p);
}

/* ---- POSIX threads ---- */

int __real_pthread_create(pthread_t *t, const pthread_attr_t *attr, void *(*fn)(void *), void *arg);
int __real_pthread_join(pthread_t t, void **result);

struct start {
    void *(*fn)(void *);
    void *arg;
    struct race_g *g;
};

/* The end of a thread: what it did is there for who joins it. */
static void thread_ends(void *arg)
{
    race_release(arg, (void *)pthread_self());
    race_cur_tls = &race_ignored;   /* destructors of other keys may still run */
    race_g_end(arg);
}

static pthread_key_t end_key;
static void make_end_key(void)
{
    pthread_key_create(&end_key, thread_ends);
}

static void *thread_main(void *p)
{
    struct start s = *(struct start *)p;
    race_free(p, sizeof s);
    pthread_attr_t attr;
    void *lo = NULL;
    size_t n = 0;
    race_cur_tls = &race_ignored;
    if (pthread_getattr_np(pthread_self(), &attr) == 0) {
        pthread_attr_getstack(&attr, &lo, &n);
        pthread_attr_destroy(&attr);
        shadow_clear((uintptr_t)lo, n);   /* another thread's before */
    }
    s.g->who->stack_lo = (uintptr_t)lo;
    s.g->who->stack_hi = (uintptr_t)lo + n;
    pthread_setspecific(end_key, s.g);
    race_cur_tls = s.g;
    return s.fn(s.arg);
}

int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct race_g *me = race_cur();
    if (me == &race_ignored)
        return __real_pthread_create(t, attr, fn, arg);
    race_ignore_begin();
    pthread_once(&once, make_end_key);
    race_ignore_end();
    struct start *s = race_alloc(sizeof *s);
    *s = (struct start){fn, arg, race_g_new(me)};
    s->g->is_thread = true;
    s->g->who->parent_id = me->who->id;
    s->g->who->create_node = me->node->id;
    s->g->who->create_pc = PC;
    s->g->who->fn = (uintptr_t)fn;
    struct race_g *child = s->g;
    int err = __real_pthread_create(t, attr, thread_main, s);
    if (err) {
        race_g_end(child);
        race_free(s, sizeof *s);
    }
    return err;
}

int __wrap_pthread_join(pthread_t t, void **result)
{
    int err = __real_pthread_join(t, result);
    if (err == 0 && is_on()) {
        race_acquire(race_cur(), (void *)t);
        race_sync_forget((uintptr_t)t, 8);   /* the next thread may get this identity */
    }
    return err;
}

/* A lock's life: what is done under it happens before the next holder. */
#define LOCK(name, T) \
    int __real_##name(T *l); \
    int __wrap_##name(T *l) \
    { \
        int err = __real_##name(l); \
        if (err == 0 || err == EOWNERDEAD) \
            race_acquire(race_cur(), (const void *)(uintptr_t)l); \
        return err; \
    }
#define UNLOCK(name, T, how) \
    int __real_##name(T *l); \
    int __wrap_##name(T *l) \
    { \
        how(race_cur(), (const void *)(uintptr_t)l); \
        return __real_##name(l); \
    }

LOCK(pthread_mutex_lock, pthread_mutex_t)
LOCK(pthread_mutex_trylock, pthread_mutex_t)
UNLOCK(pthread_mutex_unlock, pthread_mutex_t, race_release_merge)
LOCK(pthread_spin_lock, pthread_spinlock_t)
LOCK(pthread_spin_trylock, pthread_spinlock_t)
UNLOCK(pthread_spin_unlock, pthread_spinlock_t, race_release_merge)
UNLOCK(sem_post, sem_t, race_release_merge)
LOCK(sem_wait, sem_t)
LOCK(sem_trywait, sem_t)

int __real_pthread_mutex_destroy(pthread_mutex_t *m);
int __wrap_pthread_mutex_destroy(pthread_mutex_t *m)
{
    int err = __real_pthread_mutex_destroy(m);
    if (err == 0 && is_on())
        race_sync_forget((uintptr_t)m, sizeof *m);
    return err;
}

int __real_sem_timedwait(sem_t *s, const struct timespec *until);
int __wrap_sem_timedwait(sem_t *s, const struct timespec *until)
{
    int err = __real_sem_timedwait(s, until);
    if (err == 0)
        race_acquire(race_cur(), s);
    return err;
}

/* Readers: each acquires what the last writer left at the lock and releases, joined, at the word after it, which the next writer acquires. */
static void *readers_of(pthread_rwlock_t *l)
{
    return (char *)l + 8;
}

LOCK(pthread_rwlock_rdlock, pthread_rwlock_t)
LOCK(pthread_rwlock_tryrdlock, pthread_rwlock_t)

int __real_pthread_rwlock_wrlock(pthread_rwlock_t *l);
int __wrap_pthread_rwlock_wrlock(pthread_rwlock_t *l)
{
    int err = __real_pthread_rwlock_wrlock(l);
    if (err == 0) {
        race_acquire(race_cur(), l);
        race_acquire(race_cur(), readers_of(l));
    }
    return err;
}

int __real_pthread_rwlock_trywrlock(pthread_rwlock_t *l);
int __wrap_pthread_rwlock_trywrlock(pthread_rwlock_t *l)
{
    int err = __real_pthread_rwlock_trywrlock(l);
    if (err == 0) {
        race_acquire(race_cur(), l);
        race_acquire(race_cur(), readers_of(l));
    }
    return err;
}

int __real_pthread_rwlock_unlock(pthread_rwlock_t *l);
int __wrap_pthread_rwlock_unlock(pthread_rwlock_t *l)
{
    bool writer = l->__data.__cur_writer != 0;   /* glibc: the holder's thread id */
    race_release_merge(race_cur(), writer ? (void *)l : readers_of(l));
    return __real_pthread_rwlock_unlock(l);
}

/* Waiting gives the mutex up and takes it again. */
int __real_pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m);
int __wrap_pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m)
{
    race_release_merge(race_cur(), m);
    int err = __real_pthread_cond_wait(c, m);
    race_acquire(race_cur(), m);
    return err;
}

int __real_pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *until);
int __wrap_pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *until)
{
    race_release_merge(race_cur(), m);
    int err = __real_pthread_cond_timedwait(c, m, until);
    race_acquire(race_cur(), m);
    return err;
}

int __real_pthread_barrier_wait(pthread_barrier_t *b);
int __wrap_pthread_barrier_wait(pthread_barrier_t *b)
{
    race_release_merge(race_cur(), b);
    int r = __real_pthread_barrier_wait(b);
    race_acquire(race_cur(), b);
    return r;
}

/* All that the initializer did happens before every return of pthread_once. */
static _Thread_local struct {
    void (*fn)(void);
    pthread_once_t *once;
} once_call;

static void once_main(void)
{
    pthread_once_t *once = once_call.once;
    once_call.fn();
    race_release_merge(race_cur(), once);
}

int __real_pthread_once(pthread_once_t *once, void (*fn)(void));
int __wrap_pthread_once(pthread_once_t *once, void (*fn)(void))
{
    if (!is_on())
        return __real_pthread_once(once, fn);
    void (*outer_fn)(void) = once_call.fn;
    pthread_once_t *outer_once = once_call.once;
    once_call.fn = fn;
    once_call.once = once;
    int err = __real_pthread_once(once, once_main);
    once_call.fn = outer_fn;
    once_call.once = outer_once;
    race_acquire(race_cur(), once);
    return err;
}
