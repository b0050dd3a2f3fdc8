/* C++'s operators new and delete.
 *
 * The program's calls come to __wrap_, which note where the program called, and go on to whatever the operator is: the program's own, if it replaces it. If it
 * doesn't, it is the one below, of the name itself, which shared libraries call too: a block of malloc's, as with libstdc++ and libc++. So new and delete of an
 * allocator's library that is linked or preloaded (tcmalloc, jemalloc), which don't call malloc, are not used: what they hand out would begin and
 * end its life unseen, in libstdc++'s own code for one. (Those below have the prefix race_new until all is joined into one object, CMakeLists.txt.)
 *
 * By the standard's rules the array forms, and those with a size or without exceptions, call the simple ones, which a program may have replaced. A handler of
 * set_new_handler's that throws in a form without exceptions is let through. */
#define _GNU_SOURCE
#include <stdlib.h>

#include "race_libc.h"
#include "race_malloc.h"

/* Of the C++ library, if there is one. */
_Noreturn void _ZSt17__throw_bad_allocv(void) __attribute__((weak));
void (*_ZSt15get_new_handlerv(void))(void) __attribute__((weak));

#define WRAPPED(T, name, parameters, arguments, returns) \
    T __real_##name parameters; \
    T __wrap_##name parameters; \
    T __wrap_##name parameters \
    { \
        CALLED_HERE; \
        returns __real_##name arguments; \
    } \
    T race_new##name parameters; \
    INTERPOSE T race_new##name parameters
#define NEW(name, parameters, arguments) WRAPPED(void *, name, parameters, arguments, return)
#define DELETE(name, parameters, arguments) WRAPPED(void, name, parameters, arguments, )

/* In a form that calls another one: it was called where this one was. */
#define CALLED_THERE \
    __attribute__((cleanup(race_called_back), unused)) uintptr_t outer = race_malloc_for; \
    race_malloc_for = race_called_at(PC)

/* A program that brings its own malloc has its blocks from there. */
static bool malloc_is_ours(void)
{
    return race_likely(is_ours((uintptr_t)malloc));
}

/* align 0: malloc's. */
static void *block(size_t n, size_t align, uintptr_t pc)
{
    if (malloc_is_ours())
        return race_block_born(align ? __libc_memalign(align, n) : __libc_malloc(n), n, pc);
    return align ? aligned_alloc(align, (n + align - 1) / align * align) : malloc(n);
}

enum on_failure { THROWS, RETURNS_NULL };

static void *allocate(size_t n, size_t align, enum on_failure how, uintptr_t pc)
{
    size_t bytes = n ? n : 1;
    for (;;) {
        void *p = block(bytes, align, pc);
        if (race_likely(p != NULL))
            return p;
        void (*handler)(void) = _ZSt15get_new_handlerv ? _ZSt15get_new_handlerv() : NULL;
        if (handler)
            handler();
        else if (how == RETURNS_NULL)
            return NULL;
        else if (_ZSt17__throw_bad_allocv)
            _ZSt17__throw_bad_allocv();
        else
            abort();
    }
}

static void release(void *p, uintptr_t pc)
{
    if (!malloc_is_ours()) {
        free(p);
        return;
    }
    race_block_dies(p, pc);
    __libc_free(p);
}

/* Whether a form without exceptions has to call what the program has put in the simple one's place. */
static bool is_replaced(const void *simple)
{
    return !is_ours((uintptr_t)simple);
}

/* ---- the simple forms ---- */

NEW(_Znwm, (size_t n), (n)) { return allocate(n, 0, THROWS, race_called_at(PC)); }
NEW(_ZnwmSt11align_val_t, (size_t n, size_t a), (n, a)) { return allocate(n, a, THROWS, race_called_at(PC)); }
DELETE(_ZdlPv, (void *p), (p)) { release(p, race_called_at(PC)); }
DELETE(_ZdlPvSt11align_val_t, (void *p, size_t a), (p, a))
{
    (void)a;
    release(p, race_called_at(PC));
}

/* ---- those that call them ---- */

NEW(_Znam, (size_t n), (n))
{
    CALLED_THERE;
    return __real__Znwm(n);
}
NEW(_ZnamSt11align_val_t, (size_t n, size_t a), (n, a))
{
    CALLED_THERE;
    return __real__ZnwmSt11align_val_t(n, a);
}

static void *without_exceptions(size_t n, uintptr_t pc)
{
    return is_replaced((void *)(uintptr_t)__real__Znwm) ? __real__Znwm(n) : allocate(n, 0, RETURNS_NULL, pc);
}

static void *aligned_without_exceptions(size_t n, size_t a, uintptr_t pc)
{
    return is_replaced((void *)(uintptr_t)__real__ZnwmSt11align_val_t) ? __real__ZnwmSt11align_val_t(n, a) : allocate(n, a, RETURNS_NULL, pc);
}

#define NEW_WITHOUT(name, parameters, arguments, body) \
    NEW(name, parameters, arguments) \
    { \
        CALLED_THERE; \
        (void)t; \
        return body; \
    }
NEW_WITHOUT(_ZnwmRKSt9nothrow_t, (size_t n, const void *t), (n, t), without_exceptions(n, race_malloc_for))
NEW_WITHOUT(_ZnamRKSt9nothrow_t, (size_t n, const void *t), (n, t), without_exceptions(n, race_malloc_for))
NEW_WITHOUT(_ZnwmSt11align_val_tRKSt9nothrow_t, (size_t n, size_t a, const void *t), (n, a, t), aligned_without_exceptions(n, a, race_malloc_for))
NEW_WITHOUT(_ZnamSt11align_val_tRKSt9nothrow_t, (size_t n, size_t a, const void *t), (n, a, t), aligned_without_exceptions(n, a, race_malloc_for))

#define DELETE_BY(name, parameters, arguments, unused, call) \
    DELETE(name, parameters, arguments) \
    { \
        CALLED_THERE; \
        (void)unused; \
        call; \
    }
DELETE_BY(_ZdaPv, (void *p), (p), p, __real__ZdlPv(p))
DELETE_BY(_ZdlPvm, (void *p, size_t n), (p, n), n, __real__ZdlPv(p))
DELETE_BY(_ZdaPvm, (void *p, size_t n), (p, n), n, __real__ZdaPv(p))
DELETE_BY(_ZdlPvRKSt9nothrow_t, (void *p, const void *t), (p, t), t, __real__ZdlPv(p))
DELETE_BY(_ZdaPvRKSt9nothrow_t, (void *p, const void *t), (p, t), t, __real__ZdaPv(p))
DELETE_BY(_ZdaPvSt11align_val_t, (void *p, size_t a), (p, a), p, __real__ZdlPvSt11align_val_t(p, a))
DELETE_BY(_ZdlPvmSt11align_val_t, (void *p, size_t n, size_t a), (p, n, a), n, __real__ZdlPvSt11align_val_t(p, a))
DELETE_BY(_ZdaPvmSt11align_val_t, (void *p, size_t n, size_t a), (p, n, a), n, __real__ZdaPvSt11align_val_t(p, a))
DELETE_BY(_ZdlPvSt11align_val_tRKSt9nothrow_t, (void *p, size_t a, const void *t), (p, a, t), t, __real__ZdlPvSt11align_val_t(p, a))
DELETE_BY(_ZdaPvSt11align_val_tRKSt9nothrow_t, (void *p, size_t a, const void *t), (p, a, t), t, __real__ZdaPvSt11align_val_t(p, a))
