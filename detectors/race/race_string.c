/* Functions on strings of libc: what they read and write. A string is read with its closing NUL. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "race_calls.h"

static void reads_string(const char *s, uintptr_t pc)
{
    reads(s, __real_strlen(s) + 1, pc);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* What is looked at of a string of which at most `most` bytes are. */
static size_t looked_at(const char *s, size_t most)
{
    size_t n = __real_strnlen(s, most);
    return n < most ? n + 1 : most;
}

size_t __wrap_strlen(const char *s)
{
    size_t n = __real_strlen(s);
    reads(s, n + 1, PC);
    return n;
}

size_t __wrap_strnlen(const char *s, size_t most)
{
    size_t n = __real_strnlen(s, most);
    reads(s, n < most ? n + 1 : most, PC);
    return n;
}

/* ---- copying: X(name), with the destination's room for the checked ones ---- */

#define PLAIN (char *to, const char *from)
#define PLAIN_N (char *to, const char *from, size_t n)
#define CHECKED (char *to, const char *from, size_t room)
#define CHECKED_N (char *to, const char *from, size_t n, size_t room)
#define COPY(name, parameters, arguments, room) \
    char *__real_##name parameters; \
    char *__wrap_##name parameters \
    { \
        size_t all = __real_strlen(from) + 1; \
        reads(from, all, PC); \
        writes(to, least(all, room), PC); \
        return __real_##name arguments; \
    }
COPY(strcpy, PLAIN, (to, from), SIZE_MAX)
COPY(stpcpy, PLAIN, (to, from), SIZE_MAX)
COPY(__strcpy_chk, CHECKED, (to, from, room), room)
COPY(__stpcpy_chk, CHECKED, (to, from, room), room)

#define COPY_N(name, parameters, arguments, room) \
    char *__real_##name parameters; \
    char *__wrap_##name parameters \
    { \
        reads(from, looked_at(from, n), PC); \
        writes(to, least(n, room), PC); \
        return __real_##name arguments; \
    }
COPY_N(strncpy, PLAIN_N, (to, from, n), SIZE_MAX)
COPY_N(stpncpy, PLAIN_N, (to, from, n), SIZE_MAX)
COPY_N(__strncpy_chk, CHECKED_N, (to, from, n, room), room)
COPY_N(__stpncpy_chk, CHECKED_N, (to, from, n, room), room)

static void appends(char *to, const char *from, size_t most, size_t room, uintptr_t pc)
{
    size_t at = __real_strlen(to), n = __real_strnlen(from, most);
    reads(from, n < most ? n + 1 : most, pc);
    reads(to, at + 1, pc);
    writes(to + at, least(n + 1, room > at ? room - at : 0), pc);
}

#define APPEND(name, parameters, arguments, most, room) \
    char *__real_##name parameters; \
    char *__wrap_##name parameters \
    { \
        appends(to, from, most, room, PC); \
        return __real_##name arguments; \
    }
APPEND(strcat, PLAIN, (to, from), SIZE_MAX, SIZE_MAX)
APPEND(strncat, PLAIN_N, (to, from, n), n, SIZE_MAX)
APPEND(__strcat_chk, CHECKED, (to, from, room), SIZE_MAX, room)
APPEND(__strncat_chk, CHECKED_N, (to, from, n, room), n, room)

char *__real_strdup(const char *s);
char *__wrap_strdup(const char *s)
{
    reads_string(s, PC);
    race_malloc_for = PC;
    char *p = __real_strdup(s);
    race_malloc_for = 0;
    if (p)
        writes(p, __real_strlen(p) + 1, PC);
    return p;
}

char *__real_strndup(const char *s, size_t most);
char *__wrap_strndup(const char *s, size_t most)
{
    reads(s, looked_at(s, most), PC);
    race_malloc_for = PC;
    char *p = __real_strndup(s, most);
    race_malloc_for = 0;
    if (p)
        writes(p, __real_strlen(p) + 1, PC);
    return p;
}

/* ---- comparing ---- */

static unsigned char lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 'a' - 'A') : c;
}

/* Up to the first difference; without case, a difference of other letters is taken for one although the locale may see none. */
static size_t compared(const char *a, const char *b, size_t most, bool with_case)
{
    size_t i = 0;
    while (i < most && a[i] && (with_case ? a[i] == b[i] : lower((unsigned char)a[i]) == lower((unsigned char)b[i])))
        i++;
    return i < most ? i + 1 : most;
}

#define COMPARE(name, parameters, arguments, most, with_case) \
    int __real_##name parameters; \
    int __wrap_##name parameters \
    { \
        size_t looked = compared(a, b, most, with_case); \
        reads(a, looked, PC); \
        reads(b, looked, PC); \
        return __real_##name arguments; \
    }
COMPARE(strcmp, (const char *a, const char *b), (a, b), SIZE_MAX, true)
COMPARE(strncmp, (const char *a, const char *b, size_t n), (a, b, n), n, true)
COMPARE(strcasecmp, (const char *a, const char *b), (a, b), SIZE_MAX, false)
COMPARE(strncasecmp, (const char *a, const char *b, size_t n), (a, b, n), n, false)

int __real_strcoll(const char *a, const char *b);
int __wrap_strcoll(const char *a, const char *b)
{
    reads_string(a, PC);
    reads_string(b, PC);
    return __real_strcoll(a, b);
}

#define STRINGS(name, parameters, arguments) CALL(int, name, parameters, arguments, ALL(TEXT_IN(a), TEXT_IN(b)), )
STRINGS(strverscmp, (const char *a, const char *b), (a, b))
STRINGS(strcoll_l, (const char *a, const char *b, locale_t l), (a, b, l))
#define XFRM(name, parameters, arguments) CALL(size_t, name, parameters, arguments, TEXT_IN(from), if (n) writes(to, least(r + 1, n), pc))
XFRM(strxfrm, (char *to, const char *from, size_t n), (to, from, n))
XFRM(strxfrm_l, (char *to, const char *from, size_t n, locale_t l), (to, from, n, l))
COMPARE(strcasecmp_l, (const char *a, const char *b, locale_t l), (a, b, l), SIZE_MAX, false)
COMPARE(strncasecmp_l, (const char *a, const char *b, size_t n, locale_t l), (a, b, n, l), n, false)

/* ---- messages ---- */

CALL(char *, strerror_r, (int e, char *to, size_t n), (e, to, n), , if (r == to && n) TEXT_OUT(to))   /* GNU's, and that of POSIX */
CALL(int, __xpg_strerror_r, (int e, char *to, size_t n), (e, to, n), , if (n) TEXT_OUT(to))

/* ---- searching ---- */

char *__real_strchr(const char *s, int c);
char *__wrap_strchr(const char *s, int c)
{
    char *found = __real_strchr(s, c);
    reads(s, (found ? (size_t)(found - s) : __real_strlen(s)) + 1, PC);
    return found;
}

char *__real_strchrnul(const char *s, int c);
char *__wrap_strchrnul(const char *s, int c)
{
    char *found = __real_strchrnul(s, c);
    reads(s, (size_t)(found - s) + 1, PC);
    return found;
}

char *__real_strrchr(const char *s, int c);
char *__wrap_strrchr(const char *s, int c)
{
    reads_string(s, PC);
    return __real_strrchr(s, c);
}

#define SEARCH(name) \
    char *__real_##name(const char *s, const char *what); \
    char *__wrap_##name(const char *s, const char *what) \
    { \
        char *found = __real_##name(s, what); \
        size_t m = __real_strlen(what); \
        reads(what, m + 1, PC); \
        reads(s, found ? (size_t)(found - s) + m : __real_strlen(s) + 1, PC); \
        return found; \
    }
SEARCH(strstr)
SEARCH(strcasestr)

char *__real_strpbrk(const char *s, const char *any);
char *__wrap_strpbrk(const char *s, const char *any)
{
    char *found = __real_strpbrk(s, any);
    reads_string(any, PC);
    reads(s, (found ? (size_t)(found - s) : __real_strlen(s)) + 1, PC);
    return found;
}

#define SPAN(name) \
    size_t __real_##name(const char *s, const char *set); \
    size_t __wrap_##name(const char *s, const char *set) \
    { \
        size_t n = __real_##name(s, set); \
        reads_string(set, PC); \
        reads(s, n + 1, PC); \
        return n; \
    }
SPAN(strspn)
SPAN(strcspn)

/* ---- taking apart: the part found is read with what was skipped before it, and a NUL is written behind it ---- */

static void took(const char *from, char *part, const char *rest, uintptr_t pc)
{
    if (!part) {
        reads_string(from, pc);
        return;
    }
    char *end = part + __real_strlen(part);
    reads(from, (size_t)(end - from) + 1, pc);
    if (rest == end + 1)   /* else the string ended there by itself */
        writes(end, 1, pc);
}

char *__real_strtok_r(char *s, const char *set, char **rest);
char *__wrap_strtok_r(char *s, const char *set, char **rest)
{
    const char *from = s ? s : *rest;
    reads_string(set, PC);
    if (!s)
        reads(rest, sizeof *rest, PC);
    char *part = __real_strtok_r(s, set, rest);
    if (from)
        took(from, part, *rest, PC);
    writes(rest, sizeof *rest, PC);
    return part;
}

/* One place for all threads: to the detector a variable as any other. */
static char *strtok_rest;
char *__wrap_strtok(char *s, const char *set)
{
    const char *from = s ? s : strtok_rest;
    reads_string(set, PC);
    if (!s)
        reads(&strtok_rest, sizeof strtok_rest, PC);
    char *part = __real_strtok_r(s, set, &strtok_rest);
    if (from)
        took(from, part, strtok_rest, PC);
    writes(&strtok_rest, sizeof strtok_rest, PC);
    return part;
}

char *__real_strsep(char **s, const char *set);
char *__wrap_strsep(char **s, const char *set)
{
    const char *from = *s;
    reads(s, sizeof *s, PC);
    reads_string(set, PC);
    char *part = __real_strsep(s, set);
    if (from) {
        took(from, part, *s, PC);
        writes(s, sizeof *s, PC);
    }
    return part;
}

/* ---- numbers: as far as they go, and the byte behind, which ends them ---- */

static void number(const char *s, const char *end, char **where, uintptr_t pc)
{
    reads(s, (size_t)(end - s) + 1, pc);
    if (where)
        writes(where, sizeof *where, pc);
}

#define NUMBER(T, name, parameters, arguments) \
    T __real_##name parameters; \
    T __wrap_##name parameters \
    { \
        char *end = (char *)(uintptr_t)s, **end_at = &end; \
        T v = __real_##name arguments; \
        number(s, end, where, PC); \
        if (where) \
            *where = end; \
        return v; \
    }
#define INTEGER(T, name) NUMBER(T, name, (const char *s, char **where, int base), (s, end_at, base))
#define INTEGER_L(T, name) NUMBER(T, name, (const char *s, char **where, int base, locale_t l), (s, end_at, base, l))
INTEGER(long, strtol)
INTEGER(unsigned long, strtoul)
INTEGER(long long, strtoll)
INTEGER(unsigned long long, strtoull)
INTEGER(intmax_t, strtoimax)
INTEGER(uintmax_t, strtoumax)
INTEGER_L(long, strtol_l)
INTEGER_L(unsigned long, strtoul_l)
INTEGER_L(long long, strtoll_l)
INTEGER_L(unsigned long long, strtoull_l)

#define FLOATING(T, name) NUMBER(T, name, (const char *s, char **where), (s, end_at))
#define FLOATING_L(T, name) NUMBER(T, name, (const char *s, char **where, locale_t l), (s, end_at, l))
FLOATING(float, strtof)
FLOATING(double, strtod)
FLOATING(long double, strtold)
FLOATING_L(float, strtof_l)
FLOATING_L(double, strtod_l)
FLOATING_L(long double, strtold_l)

#define SIMPLE(T, name, by, ...) \
    T __wrap_##name(const char *s) \
    { \
        char *end = (char *)(uintptr_t)s; \
        T v = (T)__real_##by(s, &end, ##__VA_ARGS__); \
        reads(s, (size_t)(end - s) + 1, PC); \
        return v; \
    }
SIMPLE(int, atoi, strtol, 10)
SIMPLE(long, atol, strtol, 10)
SIMPLE(long long, atoll, strtoll, 10)
SIMPLE(double, atof, strtod)

/* ---- qsort: its comparisons are the program's code, its moves are not ---- */

void __real_qsort(void *base, size_t n, size_t size, int (*compare)(const void *, const void *));
void __wrap_qsort(void *base, size_t n, size_t size, int (*compare)(const void *, const void *))
{
    if (n > 1)
        writes(base, n * size, PC);
    __real_qsort(base, n, size, compare);
}

void __real_qsort_r(void *base, size_t n, size_t size, int (*compare)(const void *, const void *, void *), void *arg);
void __wrap_qsort_r(void *base, size_t n, size_t size, int (*compare)(const void *, const void *, void *), void *arg)
{
    if (n > 1)
        writes(base, n * size, PC);
    __real_qsort_r(base, n, size, compare, arg);
}
