/* Code that makes compilers emit every call of -fsanitize=thread for C: accesses of each size, aligned, unaligned, volatile, compound; atomics
 * of each size, operation and order; fences; copies of structures; ranges. */
#include <complex.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef __int128 int128;
struct __attribute__((packed)) packed { char c; int16_t s; int32_t i; int64_t l; int128 x; float f; double d; };
struct big { char bytes[1000]; };
struct bits { unsigned a : 3, b : 7, c : 20; uint64_t d : 40; _Bool e : 1; };
union any { int64_t i; double d; char c[16]; };

#define PLAIN(T, name) \
    T get_##name(T *p); T get_##name(T *p) { return *p; } \
    void set_##name(T *p, T v); void set_##name(T *p, T v) { *p = v; } \
    void add_##name(T *p); void add_##name(T *p) { *p += 1; } \
    T vget_##name(volatile T *p); T vget_##name(volatile T *p) { return *p; } \
    void vset_##name(volatile T *p, T v); void vset_##name(volatile T *p, T v) { *p = v; } \
    void vadd_##name(volatile T *p); void vadd_##name(volatile T *p) { *p = *p + 1; }
PLAIN(int8_t, 1)
PLAIN(int16_t, 2)
PLAIN(int32_t, 4)
PLAIN(int64_t, 8)
PLAIN(int128, 16)
PLAIN(float, f)
PLAIN(double, d)
PLAIN(long double, ld)
PLAIN(double _Complex, cd)

#define PACKED(field, T) \
    T pget_##field(struct packed *p); T pget_##field(struct packed *p) { return p->field; } \
    void pset_##field(struct packed *p, T v); void pset_##field(struct packed *p, T v) { p->field = v; } \
    void padd_##field(struct packed *p); void padd_##field(struct packed *p) { p->field += 1; } \
    T pvget_##field(volatile struct packed *p); T pvget_##field(volatile struct packed *p) { return p->field; } \
    void pvset_##field(volatile struct packed *p, T v); void pvset_##field(volatile struct packed *p, T v) { p->field = v; }
PACKED(s, int16_t)
PACKED(i, int32_t)
PACKED(l, int64_t)
PACKED(x, int128)
PACKED(f, float)
PACKED(d, double)

unsigned get_bits(struct bits *b, int k);
unsigned get_bits(struct bits *b, int k)
{
    b->a = (unsigned)k; b->b += 3; b->d ^= 77; b->e = !b->e;
    return b->c + b->b;
}
void copy(struct big *to, const struct big *from);
void copy(struct big *to, const struct big *from) { *to = *from; }
struct big make(int c);
struct big make(int c) { struct big b; memset(&b, c, sizeof b); return b; }
void libc_calls(char *a, char *b, size_t n);
void libc_calls(char *a, char *b, size_t n) { memcpy(a, b, n); memmove(a, b + 1, n); memset(a, 0, n); memcpy(a, b, 24); memset(b, 1, 100); }
void builtins(char *a, char *b);
void builtins(char *a, char *b) { __builtin_memcpy(a, b, 64); __builtin_memset(a, 0, 64); __builtin_memmove(b, a, 48); }
void loop(float *a, const float *b, int n);
void loop(float *a, const float *b, int n) { for (int i = 0; i < n; i++) a[i] = a[i] * 2 + b[i]; }
void clear(int *a, int n);
void clear(int *a, int n) { for (int i = 0; i < n; i++) a[i] = 0; }
typedef float vec4 __attribute__((vector_size(16)));
void vectors(vec4 *a, vec4 *b);
void vectors(vec4 *a, vec4 *b) { *a += *b; }

#define ORDERS(X, ...) X(relaxed, __VA_ARGS__) X(acquire, __VA_ARGS__) X(release, __VA_ARGS__) X(acq_rel, __VA_ARGS__) X(seq_cst, __VA_ARGS__)
#define RMW(order, T, name) \
    T rmw_##name##_##order(_Atomic T *p, T v); \
    T rmw_##name##_##order(_Atomic T *p, T v) \
    { \
        T r = atomic_fetch_add_explicit(p, v, memory_order_##order); \
        r ^= atomic_fetch_sub_explicit(p, v, memory_order_##order); \
        r ^= atomic_fetch_and_explicit(p, v, memory_order_##order); \
        r ^= atomic_fetch_or_explicit(p, v, memory_order_##order); \
        r ^= atomic_fetch_xor_explicit(p, v, memory_order_##order); \
        r ^= __atomic_fetch_nand((T *)p, v, __ATOMIC_SEQ_CST); \
        r ^= __atomic_add_fetch((T *)p, v, __ATOMIC_RELAXED) ^ __atomic_nand_fetch((T *)p, v, __ATOMIC_ACQUIRE); \
        r ^= atomic_exchange_explicit(p, v, memory_order_##order); \
        T expected = v; \
        r ^= atomic_compare_exchange_strong_explicit(p, &expected, r, memory_order_##order, memory_order_relaxed); \
        r ^= atomic_compare_exchange_weak_explicit(p, &expected, r, memory_order_##order, memory_order_relaxed); \
        r ^= __sync_fetch_and_add((T *)p, v) ^ __sync_val_compare_and_swap((T *)p, v, r) ^ __sync_bool_compare_and_swap((T *)p, v, r); \
        return r; \
    }
#define ATOMIC(T, name) \
    ORDERS(RMW, T, name) \
    T load_##name(_Atomic T *p); \
    T load_##name(_Atomic T *p) \
    { \
        return atomic_load_explicit(p, memory_order_relaxed) ^ atomic_load_explicit(p, memory_order_consume) ^ \
               atomic_load_explicit(p, memory_order_acquire) ^ atomic_load(p); \
    } \
    void store_##name(_Atomic T *p, T v); \
    void store_##name(_Atomic T *p, T v) \
    { \
        atomic_store_explicit(p, v, memory_order_relaxed); \
        atomic_store_explicit(p, v, memory_order_release); \
        *p = v; \
        *p += 1; \
        (*p)++; \
    }
ATOMIC(uint8_t, 8)
ATOMIC(uint16_t, 16)
ATOMIC(uint32_t, 32)
ATOMIC(uint64_t, 64)
ATOMIC(int128, 128)
double atomic_double(_Atomic double *p);
double atomic_double(_Atomic double *p) { *p += 1.5; return *p; }
void *atomic_pointer(void *_Atomic *p, void *v);
void *atomic_pointer(void *_Atomic *p, void *v) { return atomic_exchange(p, v); }
_Bool atomic_bools(_Atomic _Bool *p, atomic_flag *f);
_Bool atomic_bools(_Atomic _Bool *p, atomic_flag *f) { *p = 1; atomic_flag_clear(f); return atomic_flag_test_and_set(f); }
void fences(int order);
void fences(int order)
{
    atomic_thread_fence(memory_order_relaxed);
    atomic_thread_fence(memory_order_acquire);
    atomic_thread_fence(memory_order_release);
    atomic_thread_fence(memory_order_acq_rel);
    atomic_thread_fence(memory_order_seq_cst);
    atomic_signal_fence(memory_order_seq_cst);
    __sync_synchronize();
    if (order)
        __atomic_thread_fence(__ATOMIC_CONSUME);
}
#ifdef __clang__
__attribute__((disable_sanitizer_instrumentation))
#endif
void unchecked(int *p);
void unchecked(int *p) { *p = 1; }
__attribute__((no_sanitize("thread"))) void also_unchecked(int *p);
void also_unchecked(int *p) { *p = 1; }
