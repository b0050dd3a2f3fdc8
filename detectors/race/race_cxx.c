/* What C++'s libraries do inside their shared objects, by atomics that nobody sees there, and that orders what the program does.
 *
 * Exceptions in std::exception_ptr have many owners. Whoever is the last to let go, by an exception_ptr's end or that of a handler, destroys the
 * exception; the library counts. So each of the program's calls that lets go of one first releases at the exception, and its destructor, which the
 * library calls once nobody has it any more, is ours: it acquires, then calls the exception's own. (To acquire where the library is told to let go would
 * be too early: others may still do so before the library counts.) Exceptions become shared by current_exception and make_exception_ptr alone; those
 * that never do stay as they are.
 *
 * A result that becomes ready at a thread's end (std::promise::set_value_at_thread_exit and its like) is stored early and announced by libstdc++, after the
 * destructors of thread-local data, in a function of its own that it finds by a pointer: ours releases first, where the future's owner acquires.
 *
 * What the library makes or waits for on behalf of the program is reported with the place in the program that asked it to. */
#include <stdatomic.h>
#include <stddef.h>
#include <unwind.h>

#include "race_alloc.h"
#include "race_libc.h"
#include "race_spin.h"

/* ---- exceptions ---- */

/* What lies before an exception, as the C++ ABI has it; libstdc++ and libc++abi differ only further ahead. */
struct exception_head {
    const void *type;
    void (*destroy)(void *);
    void *handlers[2];
    void *next;
    int caught, switch_value;
    const void *action, *language_data;
    void *landing, *adjusted;
    struct _Unwind_Exception unwind;
};
_Static_assert(sizeof(struct exception_head) == 112, "the ABI's");

/* Shared exceptions and their own destructors (NULL: none is needed), by address. Each list under its own lock. */
struct shared_exception {
    struct shared_exception *next;
    const void *exception;
    void (*destroy)(void *);
};
static struct exceptions {
    atomic_flag lock;
    struct shared_exception *first;
} shared_exceptions[64];
static atomic_bool any_shared;   /* relaxed: who has a shared exception has it from one that saw this set */

static struct exceptions *list_of(const void *exception)
{
    return &shared_exceptions[((uintptr_t)exception >> 4) * 0x9e3779b97f4a7c15u >> 58];
}

static void destroy_shared(void *exception)
{
    struct exceptions *list = list_of(exception);
    race_spin_lock(&list->lock);
    struct shared_exception **at = &list->first;
    while ((*at)->exception != exception)
        at = &(*at)->next;
    struct shared_exception *s = *at;
    *at = s->next;
    race_spin_unlock(&list->lock);
    void (*destroy)(void *) = s->destroy;
    race_free(s, sizeof *s);
    race_acquire(race_cur(), exception);
    if (destroy)
        destroy(exception);
}

static struct exception_head *head_of(void *exception)
{
    return (struct exception_head *)exception - 1;
}

/* The caller owns it. */
static bool is_shared(void *exception)
{
    return __atomic_load_n(&head_of(exception)->destroy, __ATOMIC_RELAXED) == destroy_shared;
}

static void share(void *exception)
{
    if (is_shared(exception))
        return;
    struct shared_exception *s = race_alloc(sizeof *s);
    struct exceptions *list = list_of(exception);
    race_spin_lock(&list->lock);
    bool mine = !is_shared(exception);
    if (mine) {
        *s = (struct shared_exception){list->first, exception, head_of(exception)->destroy};
        list->first = s;
        __atomic_store_n(&head_of(exception)->destroy, destroy_shared, __ATOMIC_RELAXED);
        atomic_store_explicit(&any_shared, true, memory_order_relaxed);
    }
    race_spin_unlock(&list->lock);
    if (!mine)
        race_free(s, sizeof *s);
}

/* Before one of its owners lets go. */
static void leave(void *exception)
{
    if (exception && is_shared(exception))
        race_release_merge(race_cur(), exception);
}

/* An exception_ptr is one pointer, to the exception. It is returned where the caller says. */
void **__real__ZSt17current_exceptionv(void **result) __attribute__((weak));
void *__real___cxa_init_primary_exception(void *exception, void *type, void (*destroy)(void *)) __attribute__((weak));
void __real___cxa_end_catch(void) __attribute__((weak));
/* libstdc++: exception_ptr::_M_release; libc++: ~exception_ptr, its operator=. */
void __real__ZNSt15__exception_ptr13exception_ptr10_M_releaseEv(void **p) __attribute__((weak));
void __real__ZNSt13exception_ptrD1Ev(void **p) __attribute__((weak));
void **__real__ZNSt13exception_ptraSERKS_(void **p, void *const *other) __attribute__((weak));

void **__wrap__ZSt17current_exceptionv(void **result)
{
    __real__ZSt17current_exceptionv(result);
    if (*result)
        share(*result);
    return result;
}

/* make_exception_ptr's. */
void *__wrap___cxa_init_primary_exception(void *exception, void *type, void (*destroy)(void *))
{
    void *head = __real___cxa_init_primary_exception(exception, type, destroy);
    share(exception);
    return head;
}

void __wrap__ZNSt15__exception_ptr13exception_ptr10_M_releaseEv(void **p)
{
    leave(*p);
    __real__ZNSt15__exception_ptr13exception_ptr10_M_releaseEv(p);
}

void __wrap__ZNSt13exception_ptrD1Ev(void **p)
{
    leave(*p);
    __real__ZNSt13exception_ptrD1Ev(p);
}

void **__wrap__ZNSt13exception_ptraSERKS_(void **p, void *const *other)
{
    leave(*p);
    return __real__ZNSt13exception_ptraSERKS_(p, other);
}

/* The exception that is being handled, which its handler owns; NULL: none of C++'s. */
static void *handled(void)
{
    void (*let_go)(void **) = __real__ZNSt15__exception_ptr13exception_ptr10_M_releaseEv;
    if (!let_go)
        let_go = __real__ZNSt13exception_ptrD1Ev;
    if (!__real__ZSt17current_exceptionv || !let_go)
        return NULL;
    void *p, *exception;
    __real__ZSt17current_exceptionv(&p);
    exception = p;
    if (p)
        let_go(&p);
    return exception;
}

void __wrap___cxa_end_catch(void)
{
    if (atomic_load_explicit(&any_shared, memory_order_relaxed))
        leave(handled());
    __real___cxa_end_catch();
}

/* ---- results that are ready at the thread's end ---- */

/* libstdc++'s, in part. The shared state's memory lives as long as this: it has a weak pointer to it. */
struct future_state {
    const void *functions;
    void *result;
    uint32_t status;   /* that it is ready is stored here, with release order */
};
struct ready_at_end {
    struct ready_at_end *next;
    void (*announce)(void *);
    const struct future_state *state;
};

static void (*_Atomic announce_ready)(void *);   /* libstdc++'s, one and the same. Relaxed: set by the thread that calls it */

static void announce(void *p)
{
    const struct ready_at_end *r = p;
    race_release(race_cur(), &r->state->status);
    atomic_load_explicit(&announce_ready, memory_order_relaxed)(p);
}

/* _Make_ready::_M_set */
void __real__ZNSt13__future_base13_State_baseV211_Make_ready6_M_setEv(struct ready_at_end *r) __attribute__((weak));

void __wrap__ZNSt13__future_base13_State_baseV211_Make_ready6_M_setEv(struct ready_at_end *r)
{
    __real__ZNSt13__future_base13_State_baseV211_Make_ready6_M_setEv(r);
    atomic_store_explicit(&announce_ready, r->announce, memory_order_relaxed);
    r->announce = announce;
}

/* ---- libc++ ---- */

/* The last weak reference frees the block, into which the last shared one's destructor wrote. Counting is left to the library's header, but for this. As the
 * library does it, with an atomic that is seen. */
struct weak_count {
    void (*const *functions)(struct weak_count *);
    int64_t shared, weak;   /* references beyond the first */
};
enum { ON_ZERO_WEAK = 4 };
int64_t __tsan_atomic64_load(const volatile int64_t *a, int order);
int64_t __tsan_atomic64_fetch_add(volatile int64_t *a, int64_t x, int order);

/* __shared_weak_count::__release_weak */
void __wrap__ZNSt3__119__shared_weak_count14__release_weakEv(struct weak_count *c)
{
    if (__tsan_atomic64_load(&c->weak, __ATOMIC_ACQUIRE) == 0 || __tsan_atomic64_fetch_add(&c->weak, -1, __ATOMIC_ACQ_REL) == 0)
        c->functions[ON_ZERO_WEAK](c);
}

/* call_once: that it is done is stored by the library, and looked at by the program. */
struct once {
    volatile unsigned long *flag;
    void *arg;
    void (*fn)(void *);
};

static void once_main(void *p)
{
    const struct once *o = p;
    o->fn(o->arg);
    race_release(race_cur(), (const void *)o->flag);
}

/* std::__call_once */
void __real__ZNSt3__111__call_onceERVmPvPFvS2_E(volatile unsigned long *flag, void *arg, void (*fn)(void *)) __attribute__((weak));
void __wrap__ZNSt3__111__call_onceERVmPvPFvS2_E(volatile unsigned long *flag, void *arg, void (*fn)(void *))
{
    struct once o = {flag, arg, fn};
    __real__ZNSt3__111__call_onceERVmPvPFvS2_E(flag, &o, once_main);
    race_acquire(race_cur(), (const void *)flag);
}

/* barrier: whoever arrives last ends the phase. */
bool __real__ZNSt3__131__arrive_barrier_algorithm_baseEPNS_24__barrier_algorithm_baseEh(void *barrier, unsigned char phase) __attribute__((weak));
bool __wrap__ZNSt3__131__arrive_barrier_algorithm_baseEPNS_24__barrier_algorithm_baseEh(void *barrier, unsigned char phase)
{
    race_release_merge(race_cur(), barrier);
    bool last = __real__ZNSt3__131__arrive_barrier_algorithm_baseEPNS_24__barrier_algorithm_baseEh(barrier, phase);
    if (last)
        race_acquire(race_cur(), barrier);
    return last;
}

/* ---- where the program made a thread, an exception, or waited ---- */

/* std::thread's constructor; what it takes is a unique_ptr, passed by its address */
void __real__ZNSt6thread15_M_start_threadESt10unique_ptrINS_6_StateESt14default_deleteIS1_EEPFvvE(void *t, void *state, void (*depend)(void))
    __attribute__((weak));
void __wrap__ZNSt6thread15_M_start_threadESt10unique_ptrINS_6_StateESt14default_deleteIS1_EEPFvvE(void *t, void *state, void (*depend)(void))
{
    CALLED_HERE;
    __real__ZNSt6thread15_M_start_threadESt10unique_ptrINS_6_StateESt14default_deleteIS1_EEPFvvE(t, state, depend);
}

void *__real___cxa_allocate_exception(size_t n) __attribute__((weak));
void *__wrap___cxa_allocate_exception(size_t n)
{
    CALLED_HERE;
    return __real___cxa_allocate_exception(n);
}

/* condition_variable::wait, of libstdc++ and libc++ */
#define COND_WAIT(name) \
    void __real_##name(void *cond, void *lock) __attribute__((weak)); \
    void __wrap_##name(void *cond, void *lock) \
    { \
        CALLED_HERE; \
        __real_##name(cond, lock); \
    }
COND_WAIT(_ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE)
COND_WAIT(_ZNSt3__118condition_variable4waitERNS_11unique_lockINS_5mutexEEE)
