/* The library of an allocator, linked in front of the C++ library, with operators of its own and a malloc_usable_size that knows no block of anybody else's: as
 * jemalloc's. norace/cxx_new.cpp: none of it is used. */
#include <stdlib.h>

#define NOT_USED(T, name, parameters) \
    T name parameters; \
    T name parameters { abort(); }

NOT_USED(void *, _Znwm, (size_t n __attribute__((unused))))
NOT_USED(void *, _Znam, (size_t n __attribute__((unused))))
NOT_USED(void *, _ZnwmRKSt9nothrow_t, (size_t n __attribute__((unused)), const void *t __attribute__((unused))))
NOT_USED(void *, _ZnwmSt11align_val_t, (size_t n __attribute__((unused)), size_t a __attribute__((unused))))
NOT_USED(void, _ZdlPv, (void *p __attribute__((unused))))
NOT_USED(void, _ZdaPv, (void *p __attribute__((unused))))
NOT_USED(void, _ZdlPvm, (void *p __attribute__((unused)), size_t n __attribute__((unused))))
NOT_USED(size_t, malloc_usable_size, (void *p __attribute__((unused))))
