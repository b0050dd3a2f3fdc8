/* Wide streams and formats: race_stdio.c's for wchar_t. A wide format is walked as a narrow one: what it converts is the same. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <wchar.h>

#include "race_calls.h"
#include "race_format.h"
#include "race_io.h"
#include "race_streams.h"

size_t __real_wcslen(const wchar_t *s);

enum { W = sizeof(wchar_t), FORMAT_MAX = 1024 };

/* A format's own characters are ASCII where they matter. What is longer is cut, and not followed further. */
static const char *narrow(const wchar_t *format, char to[FORMAT_MAX])
{
    size_t i = 0;
    for (; format[i] && i < FORMAT_MAX - 1; i++)
        to[i] = format[i] > 0 && format[i] < 128 ? (char)format[i] : '?';
    to[i] = 0;
    return to;
}

static void format_read(const wchar_t *format, va_list args, uintptr_t pc)
{
    char text[FORMAT_MAX];
    va_list copy;
    va_copy(copy, args);
    race_format_printed(narrow(format, text), copy, pc);
    va_end(copy);
}

/* ---- printing ---- */

int __real_vswprintf(wchar_t *to, size_t room, const wchar_t *format, va_list args);
int __real___vswprintf_chk(wchar_t *to, size_t room, int flag, size_t space, const wchar_t *format, va_list args);
int __real_vfwprintf(FILE *f, const wchar_t *format, va_list args);
int __real___vfwprintf_chk(FILE *f, int flag, const wchar_t *format, va_list args);

static int has_printed(const wchar_t *to, int n, uintptr_t pc)
{
    if (n >= 0)
        writes(to, ((size_t)n + 1) * W, pc);
    return n;
}

static int into(wchar_t *to, size_t room, const wchar_t *format, va_list args, uintptr_t pc)
{
    format_read(format, args, pc);
    return has_printed(to, __real_vswprintf(to, room, format, args), pc);
}

static int into_checked(wchar_t *to, size_t room, int flag, size_t space, const wchar_t *format, va_list args, uintptr_t pc)
{
    format_read(format, args, pc);
    return has_printed(to, __real___vswprintf_chk(to, room, flag, space, format, args), pc);
}

static int print(FILE *f, const wchar_t *format, va_list args, uintptr_t pc)
{
    format_read(format, args, pc);
    sends(f, pc);
    return BLOCKING(__real_vfwprintf(f, format, args));
}

static int print_checked(FILE *f, int flag, const wchar_t *format, va_list args, uintptr_t pc)
{
    format_read(format, args, pc);
    sends(f, pc);
    return BLOCKING(__real___vfwprintf_chk(f, flag, format, args));
}

WITH_ARGS(swprintf, format, VARIADIC(wchar_t *to, size_t room, const wchar_t *format), into(to, room, format, args, PC))
WITH_ARGS(__swprintf_chk, format, VARIADIC(wchar_t *to, size_t room, int flag, size_t space, const wchar_t *format),
          into_checked(to, room, flag, space, format, args, PC))
WITH_ARGS(wprintf, format, VARIADIC(const wchar_t *format), print(stdout, format, args, PC))
WITH_ARGS(fwprintf, format, VARIADIC(FILE *f, const wchar_t *format), print(f, format, args, PC))
WITH_ARGS(__wprintf_chk, format, VARIADIC(int flag, const wchar_t *format), print_checked(stdout, flag, format, args, PC))
WITH_ARGS(__fwprintf_chk, format, VARIADIC(FILE *f, int flag, const wchar_t *format), print_checked(f, flag, format, args, PC))
int __wrap_vswprintf WITH_LIST(wchar_t *to, size_t room, const wchar_t *format) { return into(to, room, format, args, PC); }
int __wrap___vswprintf_chk WITH_LIST(wchar_t *to, size_t room, int flag, size_t space, const wchar_t *format)
{
    return into_checked(to, room, flag, space, format, args, PC);
}
int __wrap_vwprintf WITH_LIST(const wchar_t *format) { return print(stdout, format, args, PC); }
int __wrap_vfwprintf WITH_LIST(FILE *f, const wchar_t *format) { return print(f, format, args, PC); }
int __wrap___vwprintf_chk WITH_LIST(int flag, const wchar_t *format) { return print_checked(stdout, flag, format, args, PC); }
int __wrap___vfwprintf_chk WITH_LIST(FILE *f, int flag, const wchar_t *format) { return print_checked(f, flag, format, args, PC); }

/* ---- scanning ---- */

static size_t bytes_of(const wchar_t *s)
{
    return (__real_wcslen(s) + 1) * W;
}

static int scanned(const wchar_t *format, va_list args, int assigned, uintptr_t pc)
{
    char text[FORMAT_MAX];
    race_format_scanned(narrow(format, text), args, assigned, pc);
    return assigned;
}

SCAN_FAMILY(, w, wchar_t, bytes_of)
SCAN_FAMILY(__isoc99_, w, wchar_t, bytes_of)

/* ---- lines, characters ---- */

#define GETS(name, parameters, arguments) \
    WAITS(wchar_t *, name, parameters, arguments, uses(f, pc), if (r) ALL(received(f), writes(s, bytes_of(s), pc)))
GETS(fgetws, (wchar_t *s, int n, FILE *f), (s, n, f))
GETS(fgetws_unlocked, (wchar_t *s, int n, FILE *f), (s, n, f))
GETS(__fgetws_chk, (wchar_t *s, size_t room, int n, FILE *f), (s, room, n, f))
GETS(__fgetws_unlocked_chk, (wchar_t *s, size_t room, int n, FILE *f), (s, room, n, f))

#define PUTS(name) \
    WAITS(int, name, (const wchar_t *s, FILE *f), (s, f), ALL(reads(s, bytes_of(s), pc), sends(f, pc)), )
PUTS(fputws)
PUTS(fputws_unlocked)

#define GET(name, parameters, arguments, f) WAITS(wint_t, name, parameters, arguments, uses(f, pc), received(f))
GET(fgetwc, (FILE *f), (f), f)
GET(fgetwc_unlocked, (FILE *f), (f), f)
GET(getwc, (FILE *f), (f), f)
GET(getwc_unlocked, (FILE *f), (f), f)
GET(getwchar, (void), (), stdin)
GET(getwchar_unlocked, (void), (), stdin)

#define PUT(name, parameters, arguments, f) WAITS(wint_t, name, parameters, arguments, sends(f, pc), )
PUT(fputwc, (wchar_t c, FILE *f), (c, f), f)
PUT(fputwc_unlocked, (wchar_t c, FILE *f), (c, f), f)
PUT(putwc, (wchar_t c, FILE *f), (c, f), f)
PUT(putwc_unlocked, (wchar_t c, FILE *f), (c, f), f)
PUT(putwchar, (wchar_t c), (c), stdout)
PUT(putwchar_unlocked, (wchar_t c), (c), stdout)
