/* What the stand-ins of narrow and of wide streams share (race_stdio.c, race_wide_stdio.c): uses of a stream, which its fclose must be ordered with, order by
 * its descriptor, functions with `...` beside those with a va_list, and the family of scanf. */
#ifndef RACE_STREAMS_H
#define RACE_STREAMS_H

#include <stdarg.h>
#include <stdio.h>
#include <stdio_ext.h>

#include "race_io.h"
#include "race_libc.h"
#include "race_uses.h"

/* Before it blocks, and before others learn of it. */
static inline void uses(FILE *f, uintptr_t pc)
{
    if (f)
        race_use_object(race_cur(), (uintptr_t)f, USE_STREAM, pc);
}

static inline void sends(FILE *f, uintptr_t pc)
{
    uses(f, pc);
    if (f && (__flbf(f) || __fbufsize(f) <= 1))   /* by lines, or at once: a file gets it already */
        race_io_writes(fileno(f));
    else if (f)
        race_io_sends(fileno(f));
}

static inline void received(FILE *f)
{
    race_io_reads(fileno(f));
}

/* __wrap_NAME(parameters, ...) and __wrap_vNAME(parameters, va_list) by one function of (arguments, args, pc). */
#define WITH_ARGS(name, last, parameters, call) \
    int __wrap_##name parameters \
    { \
        va_list args; \
        va_start(args, last); \
        int result = call; \
        va_end(args); \
        return result; \
    }
#define VARIADIC(...) (__VA_ARGS__, ...)
#define WITH_LIST(...) (__VA_ARGS__, va_list args)

/* PREFIX: of the compilers' names; W: of the names of wide functions; BYTES(s): of a string. What was assigned is told to
 * scanned(format, args, assigned, pc), which returns it. */
#define SCAN_FAMILY(prefix, w, CHAR, bytes) \
    int __real_##prefix##vs##w##scanf(const CHAR *s, const CHAR *format, va_list args); \
    int __real_##prefix##vf##w##scanf(FILE *f, const CHAR *format, va_list args); \
    static int prefix##string(const CHAR *s, const CHAR *format, va_list args, uintptr_t pc) \
    { \
        va_list copy; \
        va_copy(copy, args); \
        reads(s, bytes(s), pc); \
        int n = scanned(format, copy, __real_##prefix##vs##w##scanf(s, format, args), pc); \
        va_end(copy); \
        return n; \
    } \
    static int prefix##stream(FILE *f, const CHAR *format, va_list args, uintptr_t pc) \
    { \
        va_list copy; \
        va_copy(copy, args); \
        uses(f, pc); \
        int n = scanned(format, copy, BLOCKING(__real_##prefix##vf##w##scanf(f, format, args)), pc); \
        received(f); \
        va_end(copy); \
        return n; \
    } \
    WITH_ARGS(prefix##s##w##scanf, format, VARIADIC(const CHAR *s, const CHAR *format), prefix##string(s, format, args, PC)) \
    WITH_ARGS(prefix##f##w##scanf, format, VARIADIC(FILE *f, const CHAR *format), prefix##stream(f, format, args, PC)) \
    WITH_ARGS(prefix##w##scanf, format, VARIADIC(const CHAR *format), prefix##stream(stdin, format, args, PC)) \
    int __wrap_##prefix##vs##w##scanf WITH_LIST(const CHAR *s, const CHAR *format) { return prefix##string(s, format, args, PC); } \
    int __wrap_##prefix##vf##w##scanf WITH_LIST(FILE *f, const CHAR *format) { return prefix##stream(f, format, args, PC); } \
    int __wrap_##prefix##v##w##scanf WITH_LIST(const CHAR *format) { return prefix##stream(stdin, format, args, PC); }

#endif
