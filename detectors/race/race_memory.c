/* Memory and string functions: what they read and write. */
#define _GNU_SOURCE
#include <string.h>

#include "race_libc.h"

void *__real_memcpy(void *to, const void *from, size_t n);
void *__real_memmove(void *to, const void *from, size_t n);
void *__real_memset(void *to, int c, size_t n);
void *__real___memcpy_chk(void *to, const void *from, size_t n, size_t room);
void *__real___memmove_chk(void *to, const void *from, size_t n, size_t room);
void *__real___memset_chk(void *to, int c, size_t n, size_t room);
int __real_memcmp(const void *a, const void *b, size_t n);
size_t __real_strlen(const char *s);
char *__real_strcpy(char *to, const char *from);
char *__real_strncpy(char *to, const char *from, size_t n);
int __real_strcmp(const char *a, const char *b);
int __real_strncmp(const char *a, const char *b, size_t n);
char *__real_strdup(const char *s);

void *__wrap_memcpy(void *to, const void *from, size_t n)
{
    reads(from, n, PC);
    writes(to, n, PC);
    return __real_memcpy(to, from, n);
}

void *__wrap_memmove(void *to, const void *from, size_t n)
{
    reads(from, n, PC);
    writes(to, n, PC);
    return __real_memmove(to, from, n);
}

void *__wrap_memset(void *to, int c, size_t n)
{
    writes(to, n, PC);
    return __real_memset(to, c, n);
}

void *__wrap___memcpy_chk(void *to, const void *from, size_t n, size_t room)
{
    reads(from, n, PC);
    writes(to, n < room ? n : room, PC);
    return __real___memcpy_chk(to, from, n, room);
}

void *__wrap___memmove_chk(void *to, const void *from, size_t n, size_t room)
{
    reads(from, n, PC);
    writes(to, n < room ? n : room, PC);
    return __real___memmove_chk(to, from, n, room);
}

void *__wrap___memset_chk(void *to, int c, size_t n, size_t room)
{
    writes(to, n < room ? n : room, PC);
    return __real___memset_chk(to, c, n, room);
}

int __wrap_memcmp(const void *a, const void *b, size_t n)
{
    const unsigned char *x = a, *y = b;
    size_t looked = 0;
    while (looked < n && x[looked] == y[looked])
        looked++;
    looked += looked < n;
    reads(a, looked, PC);
    reads(b, looked, PC);
    return __real_memcmp(a, b, n);
}

size_t __wrap_strlen(const char *s)
{
    size_t n = __real_strlen(s);
    reads(s, n + 1, PC);
    return n;
}

char *__wrap_strcpy(char *to, const char *from)
{
    size_t n = __real_strlen(from) + 1;
    reads(from, n, PC);
    writes(to, n, PC);
    return __real_strcpy(to, from);
}

char *__wrap_strncpy(char *to, const char *from, size_t n)
{
    size_t len = strnlen(from, n);
    reads(from, len < n ? len + 1 : n, PC);
    writes(to, n, PC);
    return __real_strncpy(to, from, n);
}

/* How many bytes of each a comparison of two strings looks at. */
static size_t compared(const char *a, const char *b, size_t most)
{
    size_t i = 0;
    while (i < most && a[i] == b[i] && a[i])
        i++;
    return i < most ? i + 1 : most;
}

int __wrap_strcmp(const char *a, const char *b)
{
    size_t n = compared(a, b, SIZE_MAX);
    reads(a, n, PC);
    reads(b, n, PC);
    return __real_strcmp(a, b);
}

int __wrap_strncmp(const char *a, const char *b, size_t most)
{
    size_t n = compared(a, b, most);
    reads(a, n, PC);
    reads(b, n, PC);
    return __real_strncmp(a, b, most);
}
