/* AddressSanitizer and LeakSanitizer in the user's program: they are told of every change of stack, of stacks that are used again, and at exit of
 * what parked goroutines hold. The runtime itself need not be compiled with -fsanitize=address: if the program was, its runtime is there, found by weak
 * symbols; if not, each switch costs one test of a variable. */
#ifndef RT_ASAN_H
#define RT_ASAN_H

#include "types.h"

extern bool asan_is_on;

/* When the runtime starts. */
void asan_start(void);
void asan_leave_slow(void **save, uintptr_t lo, uintptr_t hi);
void asan_arrive_slow(void *saved);
void asan_fresh_slow(uintptr_t lo, uintptr_t hi);

/* The calling context leaves for a stack [lo, hi); *save keeps what it needs when it comes back. save NULL: it never does. */
static inline void asan_leave(void **save, uintptr_t lo, uintptr_t hi)
{
    if (rt_unlikely(asan_is_on))
        asan_leave_slow(save, lo, hi);
}

/* A context is back, or (saved NULL) runs for the first time. */
static inline void asan_arrive(void *saved)
{
    if (rt_unlikely(asan_is_on))
        asan_arrive_slow(saved);
}

/* A stack is used for another goroutine: what the former one's frames had poisoned is forgotten. */
static inline void asan_fresh(uintptr_t lo, uintptr_t hi)
{
    if (rt_unlikely(asan_is_on))
        asan_fresh_slow(lo, hi);
}

#endif
