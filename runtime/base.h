/* What every file of the runtime uses: small macros, the two tiers of assertions, and how a broken runtime ends.
 *
 * RT_CHECK stays in release builds: cheap, and catastrophic if wrong (states, links). RT_ASSERT is checked in debug builds
 * (-DRT_DEBUG) and type-checked in all. rt_throw takes no lock and allocates nothing. */
#ifndef RT_BASE_H
#define RT_BASE_H

#include <assert.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define rt_container_of(p, type, member) ((type *)((uintptr_t)(p) - offsetof(type, member)))
#define rt_likely(c) __builtin_expect(!!(c), 1)
#define rt_unlikely(c) __builtin_expect(!!(c), 0)
#define rt_noinline __attribute__((noinline))
#define rt_cold __attribute__((cold, noinline))
#define RT_CACHE_LINE 64

/* "fatal error: MSG" with where it was found, then abort(). For bugs of the runtime itself. */
_Noreturn void rt_throw(const char *file, int line, const char *msg);

/* "fatal error: runtime: out of memory for WHAT", status 2: no stacks, as there is no memory for them, and locks may be held. */
_Noreturn void rt_out_of_memory(const char *what);

#define RT_CHECK(c) ((void)(rt_likely(c) || (rt_throw(__FILE_NAME__, __LINE__, #c), 0)))
#ifdef RT_DEBUG
#define RT_ASSERT(c) RT_CHECK(c)
#else
#define RT_ASSERT(c) ((void)sizeof(!(c)))
#endif
#ifndef __FILE_NAME__
#define __FILE_NAME__ __FILE__
#endif

#endif
