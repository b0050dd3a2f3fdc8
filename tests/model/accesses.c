/* See accesses.h. Orders are constants where the compiler sees them, as they are in programs. */
#include "accesses.h"

#include <stdlib.h>
#include <string.h>

/* May lie anywhere. */
#define ANYWHERE(T) struct __attribute__((packed, may_alias)) { T v; }
struct __attribute__((packed, may_alias)) sixteen {
    uint64_t low, high;
};

uint64_t access_read(const void *p, int size)
{
    switch (size) {
    case 1: return *(const uint8_t *)p;
    case 2: return (uintptr_t)p % 2 ? ((const ANYWHERE(uint16_t) *)p)->v : *(const uint16_t *)p;
    case 4: return (uintptr_t)p % 4 ? ((const ANYWHERE(uint32_t) *)p)->v : *(const uint32_t *)p;
    case 8: return (uintptr_t)p % 8 ? ((const ANYWHERE(uint64_t) *)p)->v : *(const uint64_t *)p;
    case 16: return ((const struct sixteen *)p)->low + ((const struct sixteen *)p)->high;
    }
    abort();
}

void access_write(void *p, int size, uint64_t v)
{
    switch (size) {
    case 1: *(uint8_t *)p = (uint8_t)v; return;
    case 2:
        if ((uintptr_t)p % 2)
            ((ANYWHERE(uint16_t) *)p)->v = (uint16_t)v;
        else
            *(uint16_t *)p = (uint16_t)v;
        return;
    case 4:
        if ((uintptr_t)p % 4)
            ((ANYWHERE(uint32_t) *)p)->v = (uint32_t)v;
        else
            *(uint32_t *)p = (uint32_t)v;
        return;
    case 8:
        if ((uintptr_t)p % 8)
            ((ANYWHERE(uint64_t) *)p)->v = v;
        else
            *(uint64_t *)p = v;
        return;
    case 16: *(struct sixteen *)p = (struct sixteen){v, v}; return;
    }
    abort();
}

void access_read_range(const void *p, size_t n)
{
    char copy[64];
    memcpy(copy, p, n);
    __asm__ volatile("" : : "r"(copy) : "memory");
}

void access_write_range(void *p, size_t n)
{
    memset(p, (int)n, n);
}

#define BY_ORDER(order, X) \
    switch (order) { \
    case __ATOMIC_RELAXED: X(__ATOMIC_RELAXED) break; \
    case __ATOMIC_CONSUME: X(__ATOMIC_CONSUME) break; \
    case __ATOMIC_ACQUIRE: X(__ATOMIC_ACQUIRE) break; \
    case __ATOMIC_RELEASE: X(__ATOMIC_RELEASE) break; \
    case __ATOMIC_ACQ_REL: X(__ATOMIC_ACQ_REL) break; \
    case __ATOMIC_SEQ_CST: X(__ATOMIC_SEQ_CST) break; \
    }
#define BY_ORDER_OF_LOAD(order, X) \
    switch (order) { \
    case __ATOMIC_RELAXED: X(__ATOMIC_RELAXED) break; \
    case __ATOMIC_CONSUME: X(__ATOMIC_CONSUME) break; \
    case __ATOMIC_ACQUIRE: X(__ATOMIC_ACQUIRE) break; \
    case __ATOMIC_SEQ_CST: X(__ATOMIC_SEQ_CST) break; \
    default: abort(); \
    }
#define BY_ORDER_OF_STORE(order, X) \
    switch (order) { \
    case __ATOMIC_RELAXED: X(__ATOMIC_RELAXED) break; \
    case __ATOMIC_RELEASE: X(__ATOMIC_RELEASE) break; \
    case __ATOMIC_SEQ_CST: X(__ATOMIC_SEQ_CST) break; \
    default: abort(); \
    }
#define BY_SIZE(X) \
    switch (size) { \
    case 1: X(uint8_t) break; \
    case 2: X(uint16_t) break; \
    case 4: X(uint32_t) break; \
    case 8: X(uint64_t) break; \
    }

uint64_t access_atomic_load(void *p, int size, int order)
{
#define X(mo) return __atomic_load_n(a, mo);
#define Y(T) { T *a = p; BY_ORDER_OF_LOAD(order, X) }
    BY_SIZE(Y)
#undef X
#undef Y
    abort();
}

void access_atomic_store(void *p, int size, uint64_t v, int order)
{
#define X(mo) __atomic_store_n(a, x, mo);
#define Y(T) { T *a = p, x = (T)v; BY_ORDER_OF_STORE(order, X) }
    BY_SIZE(Y)
#undef X
#undef Y
}

uint64_t access_atomic_exchange(void *p, int size, uint64_t v, int order)
{
#define X(mo) return __atomic_exchange_n(a, x, mo);
#define Y(T) { T *a = p, x = (T)v; BY_ORDER(order, X) }
    BY_SIZE(Y)
#undef X
#undef Y
    abort();
}

uint64_t access_atomic_add(void *p, int size, uint64_t v, int order)
{
#define X(mo) return __atomic_fetch_add(a, x, mo);
#define Y(T) { T *a = p, x = (T)v; BY_ORDER(order, X) }
    BY_SIZE(Y)
#undef X
#undef Y
    abort();
}

int access_atomic_cas(void *p, int size, uint64_t from, uint64_t to, int order)
{
#define X(mo) return __atomic_compare_exchange_n(a, &x, y, 0, mo, __ATOMIC_RELAXED);
#define Y(T) { T *a = p, x = (T)from, y = (T)to; BY_ORDER(order, X) }
    BY_SIZE(Y)
#undef X
#undef Y
    abort();
}

int access_atomic_cas_fails(void *p, int size, uint64_t from, int order)
{
#define X(mo) return __atomic_compare_exchange_n(a, &x, x, 0, __ATOMIC_SEQ_CST, mo);
#define Y(T) { T *a = p, x = (T)from; BY_ORDER_OF_LOAD(order, X) }
    BY_SIZE(Y)
#undef X
#undef Y
    abort();
}

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wtsan"   /* fences are not supported by ThreadSanitizer; they are here */
#endif
void access_fence(int order)
{
#define X(mo) __atomic_thread_fence(mo);
    BY_ORDER(order, X)
#undef X
}
