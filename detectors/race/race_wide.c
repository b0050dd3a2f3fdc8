/* Wide strings, and conversions between them and others: what they read and write. As race_memory.c and race_string.c, by wchar_t. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdlib.h>
#include <uchar.h>
#include <wchar.h>

#include "race_calls.h"

enum { W = sizeof(wchar_t) };
size_t __real_wcslen(const wchar_t *s);
size_t __real_wcsnlen(const wchar_t *s, size_t most);

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* What is looked at of a string of which at most `most` characters are. */
static size_t looked_at(const wchar_t *s, size_t most)
{
    size_t n = __real_wcsnlen(s, most);
    return n < most ? n + 1 : most;
}

static void reads_w(const wchar_t *s, size_t n, uintptr_t pc) { reads(s, n * W, pc); }
static void writes_w(const wchar_t *s, size_t n, uintptr_t pc) { writes(s, n * W, pc); }
static void reads_wide(const wchar_t *s, uintptr_t pc) { reads_w(s, __real_wcslen(s) + 1, pc); }

/* ---- blocks ---- */

#define TO_FROM (wchar_t *to, const wchar_t *from, size_t n)
#define TO_FROM_CHK (wchar_t *to, const wchar_t *from, size_t n, size_t room)
#define MOVE(name, parameters, arguments, room) \
    CALL(wchar_t *, name, parameters, arguments, ALL(reads_w(from, n, pc), writes_w(to, least(n, room), pc)), )
MOVE(wmemcpy, TO_FROM, (to, from, n), n)
MOVE(wmemmove, TO_FROM, (to, from, n), n)
MOVE(wmempcpy, TO_FROM, (to, from, n), n)
MOVE(__wmemcpy_chk, TO_FROM_CHK, (to, from, n, room), room)
MOVE(__wmemmove_chk, TO_FROM_CHK, (to, from, n, room), room)
MOVE(__wmempcpy_chk, TO_FROM_CHK, (to, from, n, room), room)
CALL(wchar_t *, wmemset, (wchar_t *to, wchar_t c, size_t n), (to, c, n), writes_w(to, n, pc), )
CALL(wchar_t *, __wmemset_chk, (wchar_t *to, wchar_t c, size_t n, size_t room), (to, c, n, room), writes_w(to, least(n, room), pc), )
CALL(wchar_t *, wmemchr, (const wchar_t *s, wchar_t c, size_t n), (s, c, n), , reads_w(s, r ? (size_t)(r - s) + 1 : n, pc))

/* Up to the first difference. */
static size_t compared(const wchar_t *a, const wchar_t *b, size_t most, bool to_nul)
{
    size_t i = 0;
    while (i < most && a[i] == b[i] && !(to_nul && !a[i]))
        i++;
    return i < most ? i + 1 : most;
}
#define COMPARE(name, parameters, arguments, most, to_nul) \
    CALL(int, name, parameters, arguments, const size_t n_read = compared(a, b, most, to_nul), ALL(reads_w(a, n_read, pc), reads_w(b, n_read, pc)))
COMPARE(wmemcmp, (const wchar_t *a, const wchar_t *b, size_t n), (a, b, n), n, false)
COMPARE(wcscmp, (const wchar_t *a, const wchar_t *b), (a, b), SIZE_MAX / W, true)
COMPARE(wcsncmp, (const wchar_t *a, const wchar_t *b, size_t n), (a, b, n), n, true)
/* Without case a difference may be none: what the two have before their first one is read in any case. */
COMPARE(wcscasecmp, (const wchar_t *a, const wchar_t *b), (a, b), SIZE_MAX / W, true)
COMPARE(wcsncasecmp, (const wchar_t *a, const wchar_t *b, size_t n), (a, b, n), n, true)
CALL(int, wcscoll, (const wchar_t *a, const wchar_t *b), (a, b), ALL(reads_wide(a, pc), reads_wide(b, pc)), )

/* ---- strings ---- */

CALL(size_t, wcslen, (const wchar_t *s), (s), , reads_w(s, r + 1, pc))
CALL(size_t, wcsnlen, (const wchar_t *s, size_t n), (s, n), , reads_w(s, r < n ? r + 1 : n, pc))

#define TO (wchar_t *to, const wchar_t *from)
#define TO_CHK (wchar_t *to, const wchar_t *from, size_t room)
#define COPY(name, parameters, arguments, room) \
    CALL(wchar_t *, name, parameters, arguments, \
         const size_t all = __real_wcslen(from) + 1; ALL(reads_w(from, all, pc), writes_w(to, least(all, room), pc)), )
COPY(wcscpy, TO, (to, from), SIZE_MAX)
COPY(wcpcpy, TO, (to, from), SIZE_MAX)
COPY(__wcscpy_chk, TO_CHK, (to, from, room), room)
COPY(__wcpcpy_chk, TO_CHK, (to, from, room), room)
#define COPY_N(name, parameters, arguments, room) \
    CALL(wchar_t *, name, parameters, arguments, ALL(reads_w(from, looked_at(from, n), pc), writes_w(to, least(n, room), pc)), )
COPY_N(wcsncpy, TO_FROM, (to, from, n), n)
COPY_N(wcpncpy, TO_FROM, (to, from, n), n)
COPY_N(__wcsncpy_chk, TO_FROM_CHK, (to, from, n, room), room)
COPY_N(__wcpncpy_chk, TO_FROM_CHK, (to, from, n, room), room)

static void appends(wchar_t *to, const wchar_t *from, size_t most, size_t room, uintptr_t pc)
{
    size_t at = __real_wcslen(to), n = __real_wcsnlen(from, most);
    reads_w(from, n < most ? n + 1 : most, pc);
    reads_w(to, at + 1, pc);
    writes_w(to + at, least(n + 1, room > at ? room - at : 0), pc);
}
#define APPEND(name, parameters, arguments, most, room) CALL(wchar_t *, name, parameters, arguments, appends(to, from, most, room, pc), )
APPEND(wcscat, TO, (to, from), SIZE_MAX / W, SIZE_MAX)
APPEND(wcsncat, TO_FROM, (to, from, n), n, SIZE_MAX)
APPEND(__wcscat_chk, TO_CHK, (to, from, room), SIZE_MAX / W, room)
APPEND(__wcsncat_chk, TO_FROM_CHK, (to, from, n, room), n, room)

CALL(wchar_t *, wcsdup, (const wchar_t *s), (s), ALL(reads_wide(s, pc), race_malloc_for = pc),
     ALL(race_malloc_for = 0, if (r) writes_w(r, __real_wcslen(r) + 1, pc)))
CALL(size_t, wcsxfrm, (wchar_t *to, const wchar_t *from, size_t n), (to, from, n), reads_wide(from, pc), if (n) writes_w(to, least(r + 1, n), pc))

#define FIND(name) \
    CALL(wchar_t *, name, (const wchar_t *s, wchar_t c), (s, c), , reads_w(s, (r ? (size_t)(r - s) : __real_wcslen(s)) + 1, pc))
FIND(wcschr)
FIND(wcschrnul)
CALL(wchar_t *, wcsrchr, (const wchar_t *s, wchar_t c), (s, c), reads_wide(s, pc), )
CALL(wchar_t *, wcspbrk, (const wchar_t *s, const wchar_t *any), (s, any), reads_wide(any, pc), reads_w(s, (r ? (size_t)(r - s) : __real_wcslen(s)) + 1, pc))
CALL(wchar_t *, wcsstr, (const wchar_t *s, const wchar_t *what), (s, what), reads_wide(what, pc),
     reads_w(s, r ? (size_t)(r - s) + __real_wcslen(what) : __real_wcslen(s) + 1, pc))
CALL(size_t, wcsspn, (const wchar_t *s, const wchar_t *set), (s, set), reads_wide(set, pc), reads_w(s, r + 1, pc))
CALL(size_t, wcscspn, (const wchar_t *s, const wchar_t *set), (s, set), reads_wide(set, pc), reads_w(s, r + 1, pc))

wchar_t *__real_wcstok(wchar_t *s, const wchar_t *set, wchar_t **rest);
wchar_t *__wrap_wcstok(wchar_t *s, const wchar_t *set, wchar_t **rest)
{
    const uintptr_t pc = PC;
    const wchar_t *from = s ? s : *rest;
    reads_wide(set, pc);
    if (!s)
        IN(rest);
    wchar_t *part = __real_wcstok(s, set, rest);
    if (from && part) {
        wchar_t *end = part + __real_wcslen(part);
        reads_w(from, (size_t)(end - from) + 1, pc);
        if (*rest == end + 1)   /* else the string ended there by itself */
            writes_w(end, 1, pc);
    } else if (from) {
        reads_wide(from, pc);
    }
    OUT(rest);
    return part;
}

/* ---- numbers: as far as they go, and the character behind, which ends them ---- */

#define NUMBER(T, name, parameters, arguments) \
    T __real_##name parameters; \
    T __wrap_##name parameters \
    { \
        const uintptr_t pc = PC; \
        wchar_t *end = (wchar_t *)(uintptr_t)s, **end_at = &end; \
        T v = __real_##name arguments; \
        reads_w(s, (size_t)(end - s) + 1, pc); \
        if (where) { \
            OUT(where); \
            *where = end; \
        } \
        return v; \
    }
#define INTEGER(T, name) NUMBER(T, name, (const wchar_t *s, wchar_t **where, int base), (s, end_at, base))
#define FLOATING(T, name) NUMBER(T, name, (const wchar_t *s, wchar_t **where), (s, end_at))
INTEGER(long, wcstol)
INTEGER(unsigned long, wcstoul)
INTEGER(long long, wcstoll)
INTEGER(unsigned long long, wcstoull)
INTEGER(intmax_t, wcstoimax)
INTEGER(uintmax_t, wcstoumax)
FLOATING(float, wcstof)
FLOATING(double, wcstod)
FLOATING(long double, wcstold)

/* ---- conversions. Where the source pointer is moved on, it says how much was read; where it stays (no destination, or none given back), all of it was ---- */

enum { BAD = -1 };
static bool is_good(size_t r) { return r != (size_t)BAD; }

static void reads_most(const char *s, size_t n, uintptr_t pc)
{
    size_t k = __real_strnlen(s, n);
    reads(s, k < n ? k + 1 : n, pc);
}

#define MBSTOWCS(name, parameters, arguments) \
    CALL(size_t, name, parameters, arguments, if (!to) TEXT_IN(from), \
         if (is_good(r) && to) ALL(writes_w(to, r < n ? r + 1 : r, pc), reads(from, r < n ? __real_strlen(from) + 1 : r, pc)))
MBSTOWCS(mbstowcs, (wchar_t *to, const char *from, size_t n), (to, from, n))
MBSTOWCS(__mbstowcs_chk, (wchar_t *to, const char *from, size_t n, size_t room), (to, from, n, room))
#define WCSTOMBS(name, parameters, arguments) \
    CALL(size_t, name, parameters, arguments, if (!to) reads_wide(from, pc), \
         if (is_good(r) && to) ALL(writes(to, r < n ? r + 1 : r, pc), if (r < n) reads_wide(from, pc)))
WCSTOMBS(wcstombs, (char *to, const wchar_t *from, size_t n), (to, from, n))
WCSTOMBS(__wcstombs_chk, (char *to, const wchar_t *from, size_t n, size_t room), (to, from, n, room))

/* from: where the source began; *source is NULL if all was converted, its NUL too. */
static void restartable(const void *from, size_t all, const void *now, const void *source, const void *to, size_t written, const mbstate_t *ps, uintptr_t pc)
{
    reads(from, to && now ? (size_t)((const char *)now - (const char *)from) : all, pc);
    if (to) {
        writes(to, written, pc);
        writes(source, sizeof(void *), pc);
    }
    OUT(ps);
}
#define MBSRTOWCS(name, parameters, arguments, all) \
    CALL(size_t, name, parameters, arguments, const char *const from = *source; const size_t n_all = all, \
         if (is_good(r)) restartable(from, n_all, *source, source, to, (r + (to && !*source)) * W, ps, pc))
#define WCSRTOMBS(name, parameters, arguments, all) \
    CALL(size_t, name, parameters, arguments, const wchar_t *const from = *source; const size_t n_all = (all) * W, \
         if (is_good(r)) restartable(from, n_all, *source, source, to, r + (to && !*source), ps, pc))
static size_t looked_at_bytes(const char *s, size_t most)
{
    size_t n = __real_strnlen(s, most);
    return n < most ? n + 1 : most;
}
MBSRTOWCS(mbsrtowcs, (wchar_t *to, const char **source, size_t n, mbstate_t *ps), (to, source, n, ps), __real_strlen(from) + 1)
MBSRTOWCS(__mbsrtowcs_chk, (wchar_t *to, const char **source, size_t n, mbstate_t *ps, size_t room), (to, source, n, ps, room), __real_strlen(from) + 1)
MBSRTOWCS(mbsnrtowcs, (wchar_t *to, const char **source, size_t k, size_t n, mbstate_t *ps), (to, source, k, n, ps), looked_at_bytes(from, k))
MBSRTOWCS(__mbsnrtowcs_chk, (wchar_t *to, const char **source, size_t k, size_t n, mbstate_t *ps, size_t room), (to, source, k, n, ps, room),
          looked_at_bytes(from, k))
WCSRTOMBS(wcsrtombs, (char *to, const wchar_t **source, size_t n, mbstate_t *ps), (to, source, n, ps), __real_wcslen(from) + 1)
WCSRTOMBS(__wcsrtombs_chk, (char *to, const wchar_t **source, size_t n, mbstate_t *ps, size_t room), (to, source, n, ps, room), __real_wcslen(from) + 1)
WCSRTOMBS(wcsnrtombs, (char *to, const wchar_t **source, size_t k, size_t n, mbstate_t *ps), (to, source, k, n, ps), looked_at(from, k))
WCSRTOMBS(__wcsnrtombs_chk, (char *to, const wchar_t **source, size_t k, size_t n, mbstate_t *ps, size_t room), (to, source, k, n, ps, room),
          looked_at(from, k))

/* One character: r bytes, or all of the n if it goes on behind them. */
static void reads_one(const char *s, size_t n, size_t r, uintptr_t pc)
{
    if (s && n)
        reads_most(s, r == (size_t)-2 ? n : is_good(r) && r ? r : 1, pc);
}
CALL(size_t, mbrtowc, (wchar_t *to, const char *s, size_t n, mbstate_t *ps), (to, s, n, ps), ,
     ALL(reads_one(s, n, r, pc), ALL(OUT(ps), if (s && r < (size_t)-2) OUT(to))))
CALL(size_t, mbrlen, (const char *s, size_t n, mbstate_t *ps), (s, n, ps), , ALL(reads_one(s, n, r, pc), OUT(ps)))
CALL(int, mbtowc, (wchar_t *to, const char *s, size_t n), (to, s, n), , if (s) ALL(reads_one(s, n, (size_t)(ssize_t)r, pc), if (r >= 0) OUT(to)))
CALL(int, mblen, (const char *s, size_t n), (s, n), , reads_one(s, n, (size_t)(ssize_t)r, pc))
CALL(size_t, mbrtoc16, (char16_t *to, const char *s, size_t n, mbstate_t *ps), (to, s, n, ps), ,
     ALL(if (r != (size_t)-3) reads_one(s, n, r, pc), ALL(OUT(ps), if (s && (r < (size_t)-3 || r == (size_t)-3)) OUT(to))))
CALL(size_t, mbrtoc32, (char32_t *to, const char *s, size_t n, mbstate_t *ps), (to, s, n, ps), ,
     ALL(reads_one(s, n, r, pc), ALL(OUT(ps), if (s && r < (size_t)-2) OUT(to))))
#define TO_BYTES(name, parameters, arguments) CALL(size_t, name, parameters, arguments, , ALL(OUT(ps), if (to && is_good(r)) writes(to, r, pc)))
TO_BYTES(wcrtomb, (char *to, wchar_t c, mbstate_t *ps), (to, c, ps))
TO_BYTES(__wcrtomb_chk, (char *to, wchar_t c, mbstate_t *ps, size_t room), (to, c, ps, room))
TO_BYTES(c16rtomb, (char *to, char16_t c, mbstate_t *ps), (to, c, ps))
TO_BYTES(c32rtomb, (char *to, char32_t c, mbstate_t *ps), (to, c, ps))
CALL(int, wctomb, (char *to, wchar_t c), (to, c), , if (to && r > 0) writes(to, (size_t)r, pc))
CALL(int, __wctomb_chk, (char *to, wchar_t c, size_t room), (to, c, room), , if (to && r > 0) writes(to, (size_t)r, pc))
