/* Walking printf's and scanf's formats. See race_format.h. A format with numbered arguments (%1$s) is not followed further. */
#define _GNU_SOURCE
#include "race_format.h"

#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "race_libc.h"

size_t __real_strlen(const char *s);
size_t __real_strnlen(const char *s, size_t most);
size_t __real_wcslen(const wchar_t *s);

enum length { NORMAL, CHAR, SHORT, LONG, LONG_LONG, LONG_DOUBLE };

static const char *length_modifier(const char *f, enum length *length)
{
    *length = NORMAL;
    switch (*f) {
    case 'h': *length = f[1] == 'h' ? CHAR : SHORT; return f + 1 + (f[1] == 'h');
    case 'l': *length = f[1] == 'l' ? LONG_LONG : LONG; return f + 1 + (f[1] == 'l');
    case 'q': *length = LONG_LONG; return f + 1;
    case 'j': case 'z': case 'Z': case 't': *length = LONG; return f + 1;
    case 'L': *length = LONG_DOUBLE; return f + 1;
    default: return f;
    }
}

static size_t integer_size(enum length length)
{
    static const size_t size[] = {sizeof(int), 1, sizeof(short), sizeof(long), sizeof(long long), sizeof(long long)};
    return size[length];
}

static const char *digits(const char *f)
{
    while (*f >= '0' && *f <= '9')
        f++;
    return f;
}

/* A wide string of which at most `precision` bytes are printed (-1: all): what is certainly read of it. A character that is not ASCII is of a length that
 * the locale knows. */
static void reads_wide(const wchar_t *s, long precision, uintptr_t pc)
{
    size_t n = 0;
    if (precision < 0)
        n = __real_wcslen(s) + 1;
    else
        while (n < (size_t)precision && s[n] > 0 && s[n] < 128)
            n++;
    reads(s, n * sizeof *s, pc);
}

void race_format_printed(const char *f, va_list args, uintptr_t pc)
{
    for (;; f++) {
        f = strchrnul(f, '%');
        if (!*f)
            return;
        if (*++f == '%')
            continue;
        while (*f && memchr("-+ #0'I", *f, 7))
            f++;
        const char *number = digits(f);
        if (*number == '$')
            return;
        f = number;
        if (*f == '*') {
            (void)va_arg(args, int);
            f++;
            if (*digits(f) == '$')
                return;
        }
        long precision = -1;
        if (*f == '.') {
            precision = 0;
            f++;
            if (*f == '*') {
                precision = va_arg(args, int);
                f++;
            } else {
                for (; *f >= '0' && *f <= '9'; f++)
                    precision = precision < 100000000 ? precision * 10 + (*f - '0') : precision;
            }
        }
        enum length length;
        f = length_modifier(f, &length);
        switch (*f) {
        case 'd': case 'i': case 'o': case 'u': case 'x': case 'X': case 'c': case 'b': case 'B':
            if (length == LONG || length == LONG_LONG || length == LONG_DOUBLE)
                (void)va_arg(args, long);
            else
                (void)va_arg(args, int);
            break;
        case 'C':
            (void)va_arg(args, wint_t);
            break;
        case 'a': case 'A': case 'e': case 'E': case 'f': case 'F': case 'g': case 'G':
            if (length == LONG_DOUBLE)
                (void)va_arg(args, long double);
            else
                (void)va_arg(args, double);
            break;
        case 's': {
            const char *s = va_arg(args, const char *);
            if (!s)
                break;
            if (length == LONG) {
                reads_wide((const wchar_t *)(const void *)s, precision, pc);
                break;
            }
            size_t n = precision >= 0 ? __real_strnlen(s, (size_t)precision) : __real_strlen(s) + 1;
            reads(s, precision >= 0 && n < (size_t)precision ? n + 1 : n, pc);
            break;
        }
        case 'S': {
            const wchar_t *s = va_arg(args, const wchar_t *);
            if (s)
                reads_wide(s, precision, pc);
            break;
        }
        case 'p':
            (void)va_arg(args, void *);
            break;
        case 'n': {
            void *p = va_arg(args, void *);
            writes(p, integer_size(length), pc);
            break;
        }
        case 'm':
            break;
        default:
            return;   /* one that we don't know: what follows can't be told */
        }
    }
}

/* Behind a scanset's closing bracket. */
static const char *scanset(const char *f)
{
    if (*f == '^')
        f++;
    if (*f == ']')
        f++;
    while (*f && *f != ']')
        f++;
    return f;
}

void race_format_scanned(const char *f, va_list args, int assigned, uintptr_t pc)
{
    for (; assigned > 0; f++) {
        f = strchrnul(f, '%');
        if (!*f)
            return;
        if (*++f == '%')
            continue;
        if (*digits(f) == '$')
            return;
        bool skipped = *f == '*';
        f += skipped;
        while (*f == '\'' || *f == 'I')
            f++;
        size_t width = 0;
        for (; *f >= '0' && *f <= '9'; f++)
            width = width < 100000000 ? width * 10 + (size_t)(*f - '0') : width;
        bool allocates = *f == 'm';
        f += allocates;
        enum length length;
        f = length_modifier(f, &length);
        char kind = *f;
        if (kind == '[')
            f = scanset(f + 1);
        if (!*f)
            return;
        if (skipped)
            continue;
        void *to = va_arg(args, void *);
        assigned -= kind != 'n';
        if (allocates) {
            writes(to, sizeof(char *), pc);
            continue;
        }
        switch (kind) {
        case 'd': case 'i': case 'o': case 'u': case 'x': case 'X': case 'n':
            writes(to, integer_size(length), pc);
            break;
        case 'a': case 'A': case 'e': case 'E': case 'f': case 'F': case 'g': case 'G':
            writes(to, length == LONG_DOUBLE ? sizeof(long double) : length == LONG ? sizeof(double) : sizeof(float), pc);
            break;
        case 'c':
            writes(to, (width ? width : 1) * (length == LONG ? sizeof(wchar_t) : 1), pc);
            break;
        case 's': case '[':
            writes(to, length == LONG ? (__real_wcslen(to) + 1) * sizeof(wchar_t) : __real_strlen(to) + 1, pc);
            break;
        case 'S':
            writes(to, (__real_wcslen(to) + 1) * sizeof(wchar_t), pc);
            break;
        case 'p':
            writes(to, sizeof(void *), pc);
            break;
        default:
            return;
        }
    }
}
