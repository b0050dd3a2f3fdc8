/* What the compilers call under -fsanitize=thread: loads, stores, function entry and exit. (Atomics: race_atomic.c; libc: race_libc.c.)
 * Thin: the current race_g, the caller's pc, and on to race_access. Hooks come before the access. */
#include "race_access.h"
#include "race_built.h"

#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#define PC ((uintptr_t)__builtin_return_address(0))

void race_start(void);
void *__real_memcpy(void *to, const void *from, size_t n);
void *__real_memmove(void *to, const void *from, size_t n);
void *__real_memset(void *to, int c, size_t n);

void __tsan_init(void)
{
    race_built_has_hooks = true;
    race_start();
}

void __tsan_func_entry(void *return_address)
{
    struct race_g *g = race_cur();
    if (race_unlikely(g->cut)) {
        g->cut++;
        return;
    }
    if (race_unlikely(g == &race_ignored))
        return;
    struct stack_node *n = race_stack_call(g->node, (uintptr_t)return_address);
    if (race_likely(n != NULL))
        g->node = n;
    else
        g->cut = 1;
}

void __tsan_func_exit(void)
{
    struct race_g *g = race_cur();
    if (race_unlikely(g->cut))
        g->cut--;
    else if (race_likely(g != &race_ignored && g->node->parent != NULL))
        g->node = g->node->parent;
}

/* Each in a cache line of its own: what is executed of it mostly fits. */
#define ACCESS(name, size, kind) \
    __attribute__((aligned(64))) void __tsan_##name(void *addr) { race_access_sized((uintptr_t)addr, size, kind); }
#define UNALIGNED(name, size, kind) \
    __attribute__((aligned(64))) void __tsan_##name(void *addr) { race_access_unaligned((uintptr_t)addr, size, kind); }
#define ACCESS16(name, kind) \
    void __tsan_##name(void *addr) { race_access_range(race_cur(), (uintptr_t)addr, 16, kind, PC); }

#define SIZES(prefix, kind) \
    ACCESS(prefix##1, 1, kind) ACCESS(prefix##2, 2, kind) ACCESS(prefix##4, 4, kind) ACCESS(prefix##8, 8, kind) ACCESS16(prefix##16, kind)
#define SIZES_UNALIGNED(prefix, kind) \
    UNALIGNED(prefix##2, 2, kind) UNALIGNED(prefix##4, 4, kind) UNALIGNED(prefix##8, 8, kind) ACCESS16(prefix##16, kind)

SIZES(read, 0)
SIZES(write, EPOCH_WRITE)
SIZES(volatile_read, 0)
SIZES(volatile_write, EPOCH_WRITE)
SIZES(read_write, EPOCH_WRITE)   /* a write conflicts with all that a read conflicts with */
SIZES_UNALIGNED(unaligned_read, 0)
SIZES_UNALIGNED(unaligned_write, EPOCH_WRITE)
SIZES_UNALIGNED(unaligned_volatile_read, 0)
SIZES_UNALIGNED(unaligned_volatile_write, EPOCH_WRITE)
SIZES_UNALIGNED(unaligned_read_write, EPOCH_WRITE)

void __tsan_read_range(void *addr, unsigned long n)
{
    race_access_range(race_cur(), (uintptr_t)addr, n, 0, PC);
}

void __tsan_write_range(void *addr, unsigned long n)
{
    race_access_range(race_cur(), (uintptr_t)addr, n, EPOCH_WRITE, PC);
}

/* A C++ object's table pointer: writing the value that is there already is no change. */
void __tsan_vptr_update(void **vptr, void *value)
{
    if (*vptr != value)
        race_access(race_cur(), (uintptr_t)vptr, 8, EPOCH_WRITE, PC);
}

void __tsan_vptr_read(void **vptr)
{
    race_access(race_cur(), (uintptr_t)vptr, 8, 0, PC);
}

void *__tsan_memcpy(void *to, const void *from, unsigned long n)
{
    race_access_range(race_cur(), (uintptr_t)from, n, 0, PC);
    race_access_range(race_cur(), (uintptr_t)to, n, EPOCH_WRITE, PC);
    return __real_memcpy(to, from, n);
}

void *__tsan_memmove(void *to, const void *from, unsigned long n)
{
    race_access_range(race_cur(), (uintptr_t)from, n, 0, PC);
    race_access_range(race_cur(), (uintptr_t)to, n, EPOCH_WRITE, PC);
    return __real_memmove(to, from, n);
}

void *__tsan_memset(void *to, int c, unsigned long n)
{
    race_access_range(race_cur(), (uintptr_t)to, n, EPOCH_WRITE, PC);
    return __real_memset(to, c, n);
}
