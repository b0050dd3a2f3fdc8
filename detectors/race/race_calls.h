/* How the stand-ins of plain functions are written down: one line each, with what the function reads of its caller's memory before the call
 * and what it has written after it (race_time.c, race_files.c, race_net.c, race_system.c, race_wide.c). In both, pc is the program's call; after it, r is the
 * result.
 *
 *     CALL(int, times, (struct tms *t), (t), , OUT(t))
 *
 * WAITS is CALL for what may block for long. Functions that call the program back must not be among those. */
#ifndef RACE_CALLS_H
#define RACE_CALLS_H

#include <string.h>

#include "race_libc.h"

size_t __real_strlen(const char *s);
size_t __real_strnlen(const char *s, size_t most);

#define CALL_BY(T, name, parameters, before, call, after) \
    T __real_##name parameters; \
    T __wrap_##name parameters \
    { \
        const uintptr_t pc = PC; \
        (void)pc; \
        before; \
        T r = call; \
        after; \
        return r; \
    }
#define CALL(T, name, parameters, arguments, before, after) CALL_BY(T, name, parameters, before, __real_##name arguments, after)
#define WAITS(T, name, parameters, arguments, before, after) CALL_BY(T, name, parameters, before, BLOCKING(__real_##name arguments), after)

static inline void reads_given(const void *p, size_t n, uintptr_t pc)
{
    if (p)
        reads(p, n, pc);
}

static inline void writes_given(const void *p, size_t n, uintptr_t pc)
{
    if (p)
        writes(p, n, pc);
}

static inline void reads_text(const char *s, uintptr_t pc)
{
    if (s)
        reads(s, __real_strlen(s) + 1, pc);
}

static inline void writes_text(const char *s, uintptr_t pc)
{
    if (s)
        writes(s, __real_strlen(s) + 1, pc);
}

/* One object, a closed string; none if the pointer is NULL. */
#define IN(p) reads_given(p, sizeof *(p), pc)
#define OUT(p) writes_given(p, sizeof *(p), pc)
#define TEXT_IN(s) reads_text(s, pc)
#define TEXT_OUT(s) writes_text(s, pc)
#define ALL(a, b) do { a; b; } while (0)

/* libc may make a thread that calls back because of this call (SIGEV_THREAD). */
static inline void threads_may_follow(void)
{
    race_release_merge(race_cur(), &race_libc_threads);
}

#endif
